//! Versions of which only the first numbers may be told: `1.2`, `1.x`, `1.2.*`.

/// The numbers, up to the first that is left open, and what follows them.
pub(super) struct Partial<'a> {
    pub(super) numbers: Vec<u64>,
    /// Something was left open by a sign of its own.
    pub(super) open: bool,
    /// `-beta.1`, or `beta1`; without a build.
    pub(super) suffix: &'a str,
}

impl<'a> Partial<'a> {
    /// Reads at most so many numbers.
    pub(super) fn read(text: &'a str, most: usize) -> Result<Self, String> {
        let text = text.trim_start_matches(['v', 'V', '=', ' ']);
        let (mut rest, _) = text.split_once('+').unwrap_or((text, ""));
        let mut partial = Self { numbers: Vec::new(), open: false, suffix: "" };
        for at in 0..most {
            let after = if at == 0 { Some(rest) } else { rest.strip_prefix('.') };
            let Some(after) = after else { break };
            if let Some(after) = after.strip_prefix(['x', 'X', '*']) {
                partial.open = true;
                rest = after;
                continue;
            }
            let end = after.find(|it: char| !it.is_ascii_digit()).unwrap_or(after.len());
            let (digits, after) = after.split_at_checked(end).unwrap_or((after, ""));
            if partial.open {
                return Err(format!("`{text}` has a number behind one that is open"));
            }
            let number = digits.parse().map_err(|_| format!("`{text}` is not made of numbers"))?;
            partial.numbers.push(number);
            rest = after;
        }
        if rest.starts_with('.')
            || (partial.numbers.len() < most && partial.open && !rest.is_empty())
        {
            return Err(format!("`{text}` goes on with `{rest}`"));
        }
        partial.suffix = rest;
        Ok(partial)
    }

    /// The numbers, with zeros up to three of them.
    pub(super) fn padded(&self) -> String {
        padded(&self.numbers)
    }

    /// The first version behind all that begin with the numbers up to this one.
    pub(super) fn behind(&self, at: usize) -> Result<String, String> {
        let mut numbers: Vec<u64> =
            self.numbers.iter().copied().take(at.saturating_add(1)).collect();
        let last = numbers.last_mut().ok_or("there is no number")?;
        *last = last.checked_add(1).ok_or("its number is too big")?;
        Ok(padded(&numbers))
    }
}

fn padded(numbers: &[u64]) -> String {
    let zeros = std::iter::repeat_n(&0, 3_usize.saturating_sub(numbers.len()));
    let texts: Vec<String> = numbers.iter().chain(zeros).map(u64::to_string).collect();
    texts.join(".")
}
