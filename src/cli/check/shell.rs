//! Text in a command that is pasted into a shell.

use std::borrow::Cow;

/// The text as one word. Settings and names come from arguments and JSON without NUL, which no shell takes; a NUL is
/// replaced.
pub(crate) fn quoted(text: &str) -> String {
    let text: Cow<'_, str> = if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() };
    shlex::try_quote(&text).expect("only a NUL cannot be quoted").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_quoted_text_back() {
        for text in ["https://a.run.app/", "a b", "it's", "$(x)", "", "a\nb", "^|^A=1|B=`x`", "!x"] {
            assert_eq!(shlex::split(&quoted(text)), Some(vec![text.to_owned()]), "{text:?}");
            let echoed = std::process::Command::new("sh").args(["-c", &format!("printf %s {}", quoted(text))]).output().unwrap();
            assert_eq!(String::from_utf8(echoed.stdout).unwrap(), text);
        }
    }

    #[test]
    fn plain_text_is_not_quoted_and_nul_does_not_panic() {
        assert_eq!(quoted("deploy/pipeline.env"), "deploy/pipeline.env");
        assert_eq!(shlex::split(&quoted("a\0b")), Some(vec!["a\u{fffd}b".to_owned()]));
    }
}
