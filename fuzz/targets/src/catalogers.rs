//! Every cataloger of every ecosystem reads junk: the first byte says which one.

use ecosystem::{ALL, Beside, Cataloger, Claim, File};

/// Whatever is asked for beside the file is junk too.
struct Junk<'a>(&'a [u8]);

impl Beside for Junk<'_> {
    fn bytes(&self, _: &str) -> Option<&[u8]> {
        Some(self.0)
    }
}

/// Runs it once.
pub fn run(input: &[u8]) {
    let catalogers: Vec<&Cataloger> = ALL.iter().flat_map(|it| it.catalogers()).collect();
    let [which, cut, bytes @ ..] = input else { return };
    let cataloger = catalogers[usize::from(*which) % catalogers.len()];
    let (bytes, beside) = bytes.split_at(bytes.len() - bytes.len().min(usize::from(*cut)));
    let path = match cataloger.claims.first() {
        Some(Claim::Path(glob)) => {
            let first = glob.split_once('{').map_or_else(
                || (*glob).to_owned(),
                |(head, tail)| {
                    let (options, tail) = tail.split_once('}').unwrap_or((tail, ""));
                    format!("{head}{}{tail}", options.split(',').next().unwrap_or_default())
                },
            );
            first.replace("**/", "a/").replace('*', "x-1.0")
        }
        _ => "a/b".to_owned(),
    };
    (cataloger.read)(&File::in_memory(&path, 0o755, bytes), &Junk(beside));
}
