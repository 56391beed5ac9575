//! A page of Markdown as a program.
//!
//! What lives here: finding its fenced blocks, and the one shell script that they come to. What this file must not know:
//! where it runs.

use std::fmt::Write as _;
use std::path::Path;

/// A fenced block of a language that can run.
pub(crate) struct Block {
    /// `docs/x.md:12`, the line of the fence.
    pub(crate) place: String,
    language: String,
    /// Why it does not run; `None` if it does.
    pub(crate) not_run: Option<String>,
    /// With their numbers in the page, without the fence's indentation.
    lines: Vec<(usize, String)>,
}

/// What a page shows, and what it takes for granted.
pub(crate) struct Page {
    pub(crate) name: String,
    pub(crate) blocks: Vec<Block>,
    given: Vec<(usize, String)>,
}

impl Page {
    /// Fails the test on a fence that is not closed, or a word behind a language that is no `not-run: REASON`.
    pub(crate) fn parse(name: &str, text: &str) -> Self {
        let mut page = Self { name: name.to_owned(), blocks: Vec::new(), given: Vec::new() };
        let mut lines = text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            let place = format!("{name}:{number}");
            if line == "<!-- given" {
                page.given.extend(
                    lines
                        .by_ref()
                        .map(|(line, at)| (at, line.to_owned()))
                        .take_while(|(_, line)| line != "-->"),
                );
            }
            let indent = line.len() - line.trim_start().len();
            let Some(info) = line.trim_start().strip_prefix("```") else { continue };
            let mut inside = Vec::new();
            loop {
                let (line, at) = lines.next().unwrap_or_else(|| panic!("{place}: the fence is not closed"));
                if line.trim() == "```" {
                    break;
                }
                inside.push((at, line.get(indent..).unwrap_or_default().to_owned()));
            }
            let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
            if !["sh", "bash", "sql"].contains(&language) {
                continue;
            }
            let not_run = (!rest.is_empty()).then(|| {
                let reason = rest.strip_prefix("not-run: ").unwrap_or_default();
                assert!(reason.len() > 10, "{place}: `{rest}` is no `not-run: REASON`");
                reason.to_owned()
            });
            page.blocks.push(Block { place, language: language.to_owned(), not_run, lines: inside });
        }
        page
    }

    pub(crate) fn summary(&self) -> String {
        let run = self.blocks.iter().filter(|block| block.not_run.is_none()).count();
        format!("{}: {run} of {} blocks run", self.name, self.blocks.len())
    }

    /// One shell for the whole page; each block begins in the page's folder, and says where it is when it fails.
    pub(crate) fn script(&self, folder: &Path) -> String {
        let mut script = format!(
            "set -Eeuo pipefail\npage={}\nplace={}\n\
             trap 'echo \"failed at or after $place: $BASH_COMMAND\" >&2' ERR\n",
            quoted(&folder.display().to_string()),
            quoted(&self.name)
        );
        shell(&mut script, &self.name, &self.given);
        for block in self.blocks.iter().filter(|block| block.not_run.is_none()) {
            script.push_str("cd \"$page\"\n");
            if block.language == "sql" {
                let _ = writeln!(script, "place={}", quoted(&block.place));
                let text: Vec<_> = block.lines.iter().map(|(_, line)| line.as_str()).collect();
                // In UTC, and no row may be an error that is passed over.
                let _ = writeln!(
                    script,
                    "duckdb -bail <<'end of the block'\n{}\nend of the block",
                    text.join("\n")
                );
            } else {
                shell(&mut script, &self.name, &block.lines);
            }
        }
        script
    }
}

/// Lines of a shell, with the place before each command and the promised exit code behind it.
fn shell(script: &mut String, name: &str, lines: &[(usize, String)]) {
    let mut command = String::new();
    for (number, line) in lines {
        if command.is_empty() && !line.trim().is_empty() && !line.starts_with([' ', '}', ')']) {
            let _ = writeln!(script, "place={}", quoted(&format!("{name}:{number}")));
        }
        let (text, code) = match line.split_once("# exits with ") {
            Some((text, code)) => (text, code.trim().parse::<i32>().ok()),
            None => (line.as_str(), None),
        };
        command.push_str(text);
        command.push('\n');
        let code_of = text.split("  #").next().unwrap_or_default().trim_end();
        if code_of.ends_with(['\\', '|']) || code_of.ends_with("&&") {
            continue;
        }
        match code {
            Some(code) => {
                let _ =
                    writeln!(script, "code=0\n{} || code=$?\ntest \"$code\" = {code}", command.trim_end());
            }
            None => script.push_str(&command),
        }
        command.clear();
    }
    assert!(command.is_empty(), "{name}: a command without an end: {command}");
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
