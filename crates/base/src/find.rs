//! The image that another one stands on: what is said about it is held against the layers, and they win.

use attestation::Base;
use model::{Digest, ImageDescription, KnownBase, Reference, is_empty};

/// By which way a base was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Whoever built the image says so.
    Provenance,
    /// The image says so itself, in an annotation or a label.
    Label,
    /// Somebody taught that it is a base, and its layers are the beginning.
    Taught,
    /// It is known, and its layers are the beginning.
    Layers,
}

impl Way {
    /// `provenance`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provenance => "provenance",
            Self::Label => "label",
            Self::Taught => "taught",
            Self::Layers => "layers",
        }
    }
}

/// That somebody says which image another one stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who says so.
    pub way: Way,
    /// Which image.
    pub reference: Reference,
    /// In words: how they know.
    pub says: String,
}

/// The content of an image's layers, by name, bottom first, and what it is called itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// Digests of their content.
    pub diff_ids: Vec<Digest>,
    /// Digest of its manifest.
    pub digest: Option<Digest>,
    /// Digest of its configuration.
    pub config: Option<Digest>,
}

/// What a base image is found by.
#[derive(Debug)]
pub struct Clues<'a> {
    /// The image that stands on it.
    pub image: &'a ImageDescription,
    /// What provenance says.
    pub built: Option<&'a Base>,
    /// Each claim, with the layers of the image it names, or why they are not known.
    pub claims: &'a [(Claim, Result<Layers, String>)],
    /// Images whose layers are the beginning of this one's, most layers first.
    pub known: &'a [KnownBase],
}

/// What an image stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What that is.
    pub standing: Standing,
    /// What was said and does not hold, or could not be held against the layers, a line each.
    pub doubts: Vec<String>,
}

/// What an image stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// An image; where several have the same layers, each of them, the likeliest first.
    On(Vec<BaseImage>),
    /// Nothing: it was built from scratch.
    Scratch,
    /// Nobody can tell, and why.
    Unknown(String),
}

/// An image that another one stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseImage {
    /// What it is called; nobody may have said.
    pub reference: Option<Reference>,
    /// Digest of its manifest, or of the index that led to it.
    pub digest: Option<Digest>,
    /// How many of the image's layers are its own. `None`: nobody can tell.
    pub layers: Option<usize>,
    /// What its tag leads to by now, where that is known to be another image.
    pub newer: Option<Digest>,
    /// By which way it was found.
    pub way: Way,
    /// How it was found, for people.
    pub says: String,
}

impl BaseImage {
    /// `debian:12`, as people call it.
    pub fn name(&self) -> String {
        match (&self.reference, &self.digest) {
            (Some(it), _) if it.tag.is_some() => {
                Reference { digest: None, ..it.clone() }.familiar()
            }
            (Some(it), _) => it.familiar(),
            (None, Some(digest)) => digest.to_string(),
            (None, None) => "an image without a name".to_owned(),
        }
    }
}

impl Found {
    /// The likeliest base.
    pub fn base(&self) -> Option<&BaseImage> {
        match &self.standing {
            Standing::On(all) => all.first(),
            Standing::Scratch | Standing::Unknown(_) => None,
        }
    }

    /// How many layers are the base's, or why nobody can tell.
    pub fn layers(&self) -> Result<usize, String> {
        match &self.standing {
            Standing::Scratch => Ok(0),
            Standing::Unknown(why) => Err(why.clone()),
            Standing::On(all) => all.first().and_then(|it| it.layers).ok_or_else(|| {
                let name = all.first().map_or_else(String::new, BaseImage::name);
                let why = self.doubts.first().cloned().unwrap_or_default();
                format!("which layers are those of {name} is not known: {why}")
            }),
        }
    }
}

impl Layers {
    /// Those of an image, where all of them are known.
    pub fn of(image: &ImageDescription) -> Option<Self> {
        let diff_ids = image.layers.iter().map(|it| it.diff_id.clone()).collect::<Option<_>>()?;
        let (digest, config) = (image.digest.clone(), image.config.clone());
        Some(Self { diff_ids, digest, config })
    }
}

impl Claim {
    /// The layers of the image that is claimed, where it is among those that begin `image`.
    pub fn layers_among(&self, image: &ImageDescription, known: &[KnownBase]) -> Option<Layers> {
        let digest = self.reference.digest.as_ref()?;
        let known = known.iter().find(|it| it.digest.as_ref() == Some(digest))?;
        let own = image.layers.iter().map_while(|it| it.diff_id.clone());
        Some(Layers {
            diff_ids: own.take(known.layers as usize).collect(),
            digest: known.digest.clone(),
            config: known.config.clone(),
        })
    }
}

/// What is said about the base of an image: by whoever built it, and by itself.
pub fn claims(image: &ImageDescription, built: Option<&Base>) -> Vec<Claim> {
    let mut claims = Vec::new();
    if let Some(Base::Image { image, how }) = built {
        claims.push(Claim {
            way: Way::Provenance,
            reference: image.reference.clone(),
            says: format!("provenance: {how}"),
        });
    }
    if let Some(named) = image.base()
        && let Ok(mut reference) = named.name.parse::<Reference>()
    {
        if reference.digest.is_none() {
            reference.digest = named.digest.and_then(|it| it.parse().ok());
        }
        let says = "the image's own label says so".to_owned();
        claims.push(Claim { way: Way::Label, reference, says });
    }
    claims
}

impl Clues<'_> {
    /// What the image stands on.
    ///
    /// Provenance that holds is exact. Labels are inherited, so of them and of what the layers tell the one
    /// with most layers counts. A claim that the layers contradict is told, and counts for nothing; one that
    /// nobody can hold against them counts only where the layers tell nothing.
    pub fn find(&self) -> Found {
        let own: Vec<&Digest> =
            self.image.layers.iter().map_while(|it| it.diff_id.as_ref()).collect();
        let mut doubts = Vec::new();
        let mut held: Vec<BaseImage> = Vec::new();
        let mut unheld: Option<BaseImage> = None;
        for (claim, layers) in self.claims {
            let name = claim.reference.familiar();
            let who = match claim.way {
                Way::Label => "the image's label",
                _ => "provenance",
            };
            let base = |layers: Option<usize>| BaseImage {
                reference: Some(claim.reference.clone()),
                digest: claim.reference.digest.clone(),
                layers,
                newer: None,
                way: claim.way,
                says: claim.says.clone(),
            };
            match layers {
                Ok(layers) if self.is_itself(layers.digest.as_ref(), layers.config.as_ref()) => {
                    doubts.push(format!("{who} names {name}, which is this very image"));
                }
                Ok(layers) if begins_with(&own, &layers.diff_ids) => {
                    held.push(base(Some(layers.diff_ids.len())));
                }
                Ok(_) if claim.reference.digest.is_none() => {
                    doubts.push(format!(
                        "{who} names {name}, which leads to another image by now, and no digest"
                    ));
                    unheld.get_or_insert(base(None));
                }
                Ok(_) => doubts.push(format!(
                    "{who} names {name}, but its layers are not the beginning of this image"
                )),
                Err(why) => {
                    doubts.push(format!(
                        "{who} names {name}, which could not be held against the layers: {why}"
                    ));
                    unheld.get_or_insert(base(None));
                }
            }
        }
        let known = self.known(own.len());
        let is_exact = held.first().is_some_and(|it| it.way == Way::Provenance);
        let deepest = held.iter().chain(&known).filter_map(|it| it.layers).max();
        let layers = if is_exact { held.first().and_then(|it| it.layers) } else { deepest };
        let mut all: Vec<BaseImage> =
            held.into_iter().chain(known).filter(|it| it.layers == layers).collect();
        unnamed_twice(&mut all);
        if !all.is_empty() {
            if matches!(self.built, Some(Base::Scratch)) {
                doubts.push(
                    "provenance says that it was built from scratch, but its layers begin as those of \
                     another image do"
                        .to_owned(),
                );
            }
            return Found { standing: Standing::On(all), doubts };
        }
        let standing = match (unheld, self.built) {
            (Some(base), _) => Standing::On(vec![base]),
            (None, Some(Base::Scratch)) => Standing::Scratch,
            (None, built) => Standing::Unknown(self.why(&own, built, &doubts)),
        };
        Found { standing, doubts }
    }

    /// The bases that the layers tell, each name once, those with most layers first.
    fn known(&self, own: usize) -> Vec<BaseImage> {
        let mut all = Vec::new();
        for it in self.known {
            let layers = it.layers as usize;
            let is_itself = self.is_itself(it.digest.as_ref(), it.config.as_ref());
            // Of two images with the same layers nobody can tell which one stands on the other, unless
            // somebody says that one of them is a base.
            if is_itself || layers > own || layers == own && !it.taught {
                continue;
            }
            let (way, says) = if it.taught {
                (Way::Taught, "its layers are those of a base that was taught".to_owned())
            } else {
                (Way::Layers, "its layers begin as those of a known image do".to_owned())
            };
            let base = |reference: Option<Reference>, newer: Option<&Digest>| BaseImage {
                reference,
                digest: it.digest.clone(),
                layers: Some(layers),
                newer: newer.cloned(),
                way,
                says: says.clone(),
            };
            let names = it.names.iter();
            let mut names: Vec<(Reference, Option<&Digest>)> =
                names.filter_map(|name| Some((name.parse().ok()?, it.moved.get(name)))).collect();
            // Whoever names one that still leads to it is right today.
            names.sort_by_key(|(_, newer)| newer.is_some());
            if names.is_empty() {
                all.push(base(None, None));
            }
            all.extend(names.into_iter().map(|(it, newer)| base(Some(it), newer)));
        }
        all
    }

    fn is_itself(&self, digest: Option<&Digest>, config: Option<&Digest>) -> bool {
        let same =
            |own: &Option<Digest>, other: Option<&Digest>| own.is_some() && own.as_ref() == other;
        same(&self.image.digest, digest)
            || same(&self.image.config, config)
            // What has no manifest goes by its configuration.
            || same(&self.image.config, digest)
    }

    fn why(&self, own: &[&Digest], built: Option<&Base>, doubts: &[String]) -> String {
        if let Some(doubt) = doubts.first() {
            return doubt.clone();
        }
        if let Some(Base::Unknown { why, .. }) = built {
            return format!("provenance does not tell, for {why}; and no known image begins it");
        }
        if self.image.layers.is_empty() {
            return "the image has no layers".to_owned();
        }
        if own.iter().all(|it| is_empty(it)) {
            return "nothing tells what its layers are".to_owned();
        }
        "neither provenance nor a label names it, and no known image has its first layers"
            .to_owned()
    }
}

/// The same name twice is one base: the first one told it better.
fn unnamed_twice(all: &mut Vec<BaseImage>) {
    let mut seen: Vec<(String, Option<Digest>)> = Vec::new();
    all.retain(|it| {
        let name = it.name();
        let is_new = !seen.iter().any(|(other, digest)| {
            *other == name && (it.digest.is_none() || digest.is_none() || it.digest == *digest)
        });
        // An index and its image go by two digests, and a claim names either.
        let is_claimed = seen.iter().any(|(other, _)| *other == name)
            && matches!(it.way, Way::Taught | Way::Layers);
        seen.push((name, it.digest.clone()));
        is_new && !is_claimed
    });
}

fn begins_with(own: &[&Digest], base: &[Digest]) -> bool {
    !base.is_empty()
        && base.len() <= own.len()
        && own.iter().zip(base).all(|(left, right)| *left == right)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use attestation::UsedImage;
    use model::LayerDescription;

    use super::*;

    fn digest(letter: char) -> Digest {
        format!("sha256:{}", letter.to_string().repeat(64)).parse().unwrap()
    }

    /// With a layer for each letter, and digests of its own.
    fn image(layers: &str) -> ImageDescription {
        let layer =
            |it| LayerDescription { diff_id: Some(digest(it)), ..LayerDescription::default() };
        ImageDescription {
            digest: Some(digest('1')),
            config: Some(digest('2')),
            layers: layers.chars().map(layer).collect(),
            ..ImageDescription::default()
        }
    }

    fn known(name: &str, layers: u32, own: char, taught: bool) -> KnownBase {
        KnownBase {
            names: name.split_whitespace().map(str::to_owned).collect(),
            digest: Some(digest(own)),
            config: None,
            platform: model::Platform::default(),
            layers,
            taught,
            moved: BTreeMap::new(),
        }
    }

    fn claim(way: Way, name: &str, layers: Result<&str, &str>) -> (Claim, Result<Layers, String>) {
        let layers = layers
            .map_err(str::to_owned)
            .map(|it| Layers { diff_ids: it.chars().map(digest).collect(), ..Layers::default() });
        (Claim { way, reference: name.parse().unwrap(), says: String::new() }, layers)
    }

    /// `NAME (WAY, LAYERS)…`, then doubts.
    #[track_caller]
    fn check(
        layers: &str,
        built: Option<&Base>,
        claims: &[(Claim, Result<Layers, String>)],
        known: &[KnownBase],
        expect: &str,
    ) {
        let image = image(layers);
        let found = Clues { image: &image, built, claims, known }.find();
        let mut shown = match &found.standing {
            Standing::On(all) => all
                .iter()
                .map(|it| {
                    let layers = it.layers.map_or("?".to_owned(), |it| it.to_string());
                    format!("{} ({}, {layers})", it.name(), it.way.as_str())
                })
                .collect::<Vec<_>>()
                .join(", "),
            Standing::Scratch => "scratch".to_owned(),
            Standing::Unknown(_) => "unknown".to_owned(),
        };
        for doubt in &found.doubts {
            shown = format!("{shown}; {doubt}");
        }
        assert_eq!(shown, expect);
    }

    #[test]
    fn the_longest_known_beginning_is_the_base() {
        let debian = || known("docker.io/library/debian:12", 1, 'd', false);
        let python =
            || known("docker.io/library/python:3.12 docker.io/library/python:3", 2, 'e', false);
        check("abc", None, &[], &[], "unknown");
        check("abc", None, &[], &[debian()], "debian:12 (layers, 1)");
        let both = [python(), debian()];
        check("abc", None, &[], &both, "python:3.12 (layers, 2), python:3 (layers, 2)");
        check("", None, &[], &[], "unknown");
        // An image without a name is still one.
        let nameless = known("", 2, 'f', false);
        let name = digest('f');
        check("abc", None, &[], &[nameless], &format!("{name} (layers, 2)"));
    }

    #[test]
    fn names_that_still_lead_there_go_first() {
        let mut python = known("acme/python:3 acme/python:3.12", 2, 'e', true);
        python.moved.insert("acme/python:3".to_owned(), digest('f'));
        let image = image("abc");
        let clues = Clues { image: &image, built: None, claims: &[], known: &[python] };
        let Standing::On(all) = clues.find().standing else { panic!("it stands on it") };
        let shown: Vec<_> = all.iter().map(|it| (it.name(), it.newer.clone())).collect();
        let expect = [
            ("acme/python:3.12".to_owned(), None),
            ("acme/python:3".to_owned(), Some(digest('f'))),
        ];
        assert_eq!(shown, expect);
    }

    #[test]
    fn an_image_is_not_its_own_base_and_equals_are_none_unless_taught() {
        check("ab", None, &[], &[known("acme/web:v1", 2, '1', true)], "unknown");
        check("ab", None, &[], &[known("acme/web:v1", 2, '2', true)], "unknown");
        check("ab", None, &[], &[known("acme/web:v1", 2, 'd', false)], "unknown");
        check("ab", None, &[], &[known("acme/base:v1", 2, 'd', true)], "acme/base:v1 (taught, 2)");
        let itself = claim(Way::Provenance, "acme/web:v1", Ok("ab"));
        let mut itself = itself;
        itself.1.as_mut().unwrap().config = Some(digest('2'));
        let expect = "unknown; provenance names acme/web:v1, which is this very image";
        check("ab", None, &[itself], &[], expect);
    }

    #[test]
    fn layers_win_over_what_is_said() {
        let named = format!("debian:12@{}", digest('9'));
        let lie = claim(Way::Provenance, &named, Ok("ef"));
        let doubt =
            format!("provenance names {named}, but its layers are not the beginning of this image");
        check("abc", None, std::slice::from_ref(&lie), &[], &format!("unknown; {doubt}"));
        let alpine = [known("docker.io/library/alpine:3.20", 1, 'd', true)];
        let expect = format!("alpine:3.20 (taught, 1); {doubt}");
        check("abc", None, std::slice::from_ref(&lie), &alpine, &expect);
        // A tag may have led to what was used, when it was.
        let moved = claim(Way::Provenance, "debian:12", Ok("ef"));
        let expect = "debian:12 (provenance, ?); provenance names debian:12, which leads to another image \
                      by now, and no digest";
        check("abc", None, &[moved], &[], expect);
        // What nobody could read counts where the layers tell nothing.
        let unread = claim(Way::Provenance, "debian:12", Err("offline"));
        let doubt =
            "provenance names debian:12, which could not be held against the layers: offline";
        let expect = format!("debian:12 (provenance, ?); {doubt}");
        check("abc", None, std::slice::from_ref(&unread), &[], &expect);
        let expect = format!("alpine:3.20 (taught, 1); {doubt}");
        check("abc", None, &[unread], &alpine, &expect);
        let expect = "alpine:3.20 (taught, 1); provenance says that it was built from scratch, but its \
                      layers begin as those of another image do";
        check("abc", Some(&Base::Scratch), &[], &alpine, expect);
        check("abc", Some(&Base::Scratch), &[], &[], "scratch");
    }

    #[test]
    fn provenance_is_exact_and_labels_are_inherited() {
        let longer = [known("acme/base:v2", 2, 'd', false)];
        let built = claim(Way::Provenance, "debian:12", Ok("a"));
        check("abc", None, &[built], &longer, "debian:12 (provenance, 1)");
        let labelled = || claim(Way::Label, "debian:12", Ok("a"));
        check("abc", None, &[labelled()], &longer, "acme/base:v2 (layers, 2)");
        check("abc", None, &[labelled()], &[], "debian:12 (label, 1)");
        // Told twice, it is one.
        let same = [known("docker.io/library/debian:12", 1, 'd', true)];
        check("abc", None, &[labelled()], &same, "debian:12 (label, 1)");
        let named = format!("debian:12@{}", digest('9'));
        let mut none = claim(Way::Label, &named, Ok(""));
        none.1.as_mut().unwrap().diff_ids.clear();
        let doubt = format!(
            "the image's label names {named}, but its layers are not the beginning of this image"
        );
        check("abc", None, &[none], &[], &format!("unknown; {doubt}"));
    }

    #[test]
    fn claims_are_what_provenance_and_labels_say() {
        let mut image = image("a");
        let digest = digest('d');
        image.raw_config = Some(format!(
            r#"{{"config":{{"Labels":{{"org.opencontainers.image.base.name":"debian:12",
               "org.opencontainers.image.base.digest":"{digest}"}}}}}}"#
        ));
        let used = UsedImage { reference: "alpine:3".parse().unwrap(), platform: None };
        let built = Base::Image { image: used, how: "it is the only one".to_owned() };
        let shown: Vec<String> = claims(&image, Some(&built))
            .iter()
            .map(|it| format!("{} {}", it.way.as_str(), it.reference.familiar()))
            .collect();
        assert_eq!(shown, ["provenance alpine:3".to_owned(), format!("label debian:12@{digest}")]);
    }
}
