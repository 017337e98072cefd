//! Cells of a CSV that a spreadsheet opens without running them.

use std::borrow::Cow;

/// A cell's text: one that a spreadsheet would take for a formula gets an apostrophe before it.
pub(crate) fn neutral(text: &str) -> Cow<'_, str> {
    // Full-width signs are formulas too in some locales.
    let starts_formula = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.starts_with(starts_formula) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_neutralised() {
        for text in ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert_eq!(neutral(text), format!("'{text}"));
        }
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in ["", "jdoe@company.com", "10.8.0.2", "a=b", "'quoted"] {
            assert_eq!(neutral(text), text);
        }
    }
}
