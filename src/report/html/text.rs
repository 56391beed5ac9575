//! Text from outside as HTML: escaped, cut, and unable to reorder or hide what stands around it.
//!
//! What lives here: the ways in which any value enters the page. What this file must not know: the page.

use std::fmt::{self, Write};

use super::super::changes::Kept;

/// Characters of a value that are shown.
const SHOWN: usize = 80;

/// A value from outside: at most [`SHOWN`] characters, then how long it is; set apart from the text around it.
pub(super) struct Value<'a>(pub(super) &'a str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        value(out, self.0, self.0.len())
    }
}

/// A value of a list, or that there is none.
pub(super) struct Cell<'a>(pub(super) Option<&'a Kept>);

impl fmt::Display for Cell<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(kept) => value(out, &kept.text, kept.length),
            None => out.write_str(NOTHING),
        }
    }
}

/// Stands where there is no value.
pub(super) const NOTHING: &str = "<span class=\"none\">not given</span>";

fn value(out: &mut fmt::Formatter<'_>, text: &str, length: usize) -> fmt::Result {
    if length == 0 {
        return out.write_str("<span class=\"none\">empty text</span>");
    }
    out.write_str("<bdi>")?;
    let mut shown = 0;
    for letter in text.chars().take(SHOWN) {
        shown += letter.len_utf8();
        escape(out, letter)?;
    }
    out.write_str("</bdi>")?;
    if shown < length {
        write!(
            out,
            "<span class=\"cut\">… ({} bytes)</span>",
            Number(u64::try_from(length).unwrap_or(u64::MAX))
        )?;
    }
    Ok(())
}

/// Text of ours, or of the person who asked for the page, in full.
pub(super) struct Plain<'a>(pub(super) &'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| escape(out, letter))
    }
}

/// What HTML takes for markup becomes a reference; what cannot be seen, or moves what is around it, its code point.
fn escape(out: &mut fmt::Formatter<'_>, letter: char) -> fmt::Result {
    match letter {
        '&' => out.write_str("&amp;"),
        '<' => out.write_str("&lt;"),
        '>' => out.write_str("&gt;"),
        '"' => out.write_str("&quot;"),
        '\'' => out.write_str("&#39;"),
        _ if is_hidden(letter) => write!(out, "⟨U+{:04X}⟩", u32::from(letter)),
        _ => out.write_char(letter),
    }
}

/// Controls, formats (bidirectional controls, zero width, tags), line separators, fillers and noncharacters.
fn is_hidden(letter: char) -> bool {
    let code = u32::from(letter);
    letter.is_control()
        || matches!(code,
            0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
            | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
            | 0xfff9..=0xfffb | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
        || code & 0xfffe == 0xfffe
}

/// A number in groups of three.
pub(super) struct Number(pub(super) u64);

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (position, digit) in digits.chars().enumerate() {
            if position > 0 && (digits.len() - position).is_multiple_of(3) {
                out.write_char(',')?;
            }
            out.write_char(digit)?;
        }
        Ok(())
    }
}

/// A number and what it counts.
pub(super) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", Number(number))
}

/// A share with one digit after the point, without floating point; rounded down.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let thousandths = u128::from(part) * 1_000 / u128::from(whole.max(1));
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_is_markup_or_moves_the_text_around_it() {
        let hostile = "<script>alert(1)</script>\"'&\u{202e}\0\u{200b}\u{feff}\u{fffe}\u{e0041}\r\n";
        let shown = Value(hostile).to_string();
        assert_eq!(
            shown,
            "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;⟨U+202E⟩⟨U+0000⟩⟨U+200B⟩⟨U+FEFF⟩⟨U+FFFE⟩\
             ⟨U+E0041⟩⟨U+000D⟩⟨U+000A⟩</bdi>"
        );
    }

    #[test]
    fn a_long_value_is_cut_and_its_length_is_told() {
        let shown = Value(&"x".repeat(10_240)).to_string();
        assert_eq!(
            shown,
            format!("<bdi>{}</bdi><span class=\"cut\">… (10,240 bytes)</span>", "x".repeat(80))
        );
        assert!(!Value(&"é".repeat(80)).to_string().contains("cut"));
        assert!(Value(&"é".repeat(81)).to_string().contains("(162 bytes)"));
    }

    #[test]
    fn numbers_and_shares() {
        assert_eq!(Number(1_234_567).to_string(), "1,234,567");
        assert_eq!(
            (percent(1, 3), percent(0, 0), percent(5, 5)),
            ("33.3 %".into(), "0.0 %".into(), "100.0 %".into())
        );
        assert_eq!((count(1, "day"), count(2, "day")), ("1 day".into(), "2 days".into()));
    }
}
