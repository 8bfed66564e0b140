//! Whole numbers, as JSON has them: `7.0` is one.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// A whole number, or none.
pub(super) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    deserializer.deserialize_any(Whole)
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = Option<u32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_unit<E: Error>(self) -> Result<Option<u32>, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<u32>, E> {
        let fits = u32::try_from(number).map(Some);
        fits.map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<u32>, E> {
        let fits = u32::try_from(number).map(Some);
        fits.map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Option<u32>, E> {
        // As it is written: a whole number has no more digits than that.
        let fits = number.to_string().parse().map(Some);
        fits.map_err(|_| E::invalid_value(Unexpected::Float(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use crate::KeepingFor;

    #[test]
    fn whole_numbers_are_taken_however_they_are_written() {
        let check = |days: &str, expect: &str| {
            let read = serde_json::from_str::<KeepingFor>(&format!("{{\"days\":{days}}}"));
            let told = read.map_or_else(|error| error.to_string(), |it| format!("{:?}", it.days));
            assert!(told.starts_with(expect), "{days}: {told}");
        };
        check("null", "None");
        for seven in ["7", "7.0", "70e-1", "7e0"] {
            check(seven, "Some(7)");
        }
        check("4294967295.0", "Some(4294967295)");
        check("7.5", "invalid value: floating point `7.5`, expected a whole number");
        check("-7", "invalid value: integer `-7`, expected a whole number");
        check("-7.0", "invalid value: floating point `-7.0`, expected a whole number");
        check("1e300", "invalid value: floating point");
        check("4294967296", "invalid value: integer `4294967296`, expected a whole number");
        check("\"7\"", "invalid type: string \"7\", expected a whole number");
    }
}
