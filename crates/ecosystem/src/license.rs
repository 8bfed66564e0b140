//! Licences: from what people write to SPDX expressions, where that can be told for certain.

/// The SPDX expression for `text`, or `text` itself (trimmed) where none is certain.
pub(crate) fn normalise(text: &str) -> String {
    let text = text.trim();
    if let Ok(expression) = spdx::Expression::parse_mode(text, spdx::ParseMode::LAX) {
        return expression.to_string();
    }
    text.to_owned()
}
