//! Python with the real readers in it.
//!
//! What lives here: a virtual environment under the build's folder, made once from
//! `tests/readers/requirements.txt`, and scripts run in it; a script `NAME.py` beside which lies
//! `NAME.requirements.txt` has an environment of its own. Where it cannot be made the test fails and says what is
//! missing: a reader that was not asked has proven nothing. What this file must not know: what the scripts check.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

const NEEDED: &str = "the tests open the exported files with real readers; they need python3 (3.11 or later) with its \
                      venv module (Debian: apt-get install python3-venv), access to PyPI on their first run (about 1 GB), \
                      and Java 17 for Spark (Debian: apt-get install openjdk-17-jre-headless)";

/// A script of `tests/readers/`, ready for its arguments.
pub(crate) fn script(name: &str) -> Command {
    let own = folder().join(name).with_extension("requirements.txt");
    let mut command = if own.exists() {
        Command::new(environment(&format!("{}-venv", name.trim_end_matches(".py")), &own))
    } else {
        Command::new(environment("readers-venv", &folder().join("requirements.txt")))
    };
    // -B: no compiled files beside the sources.
    command.env("PYTHONUTF8", "1").arg("-B").arg(folder().join(name));
    command
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers")
}

/// The interpreter of the environment of this name; makes it if it is not there or not the one that is pinned.
pub(crate) fn environment(name: &str, requirements: &Path) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).unwrap();
    // Tests run at once, in threads and in processes; one makes it, the others wait.
    let lock = File::create(home.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let version = said(Command::new("python3").arg("--version"));
    let wanted = format!("{version}{}", fs::read_to_string(requirements).unwrap());
    let python = home.join("bin/python");
    let ready = home.join("ready");
    if fs::read_to_string(&ready).is_ok_and(|made| made == wanted) && python.exists() {
        return python;
    }
    if home.exists() {
        fs::remove_dir_all(&home).unwrap();
    }
    said(Command::new("python3").args(["-m", "venv"]).arg(&home));
    said(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"])
            .args(["--no-deps", "--only-binary", ":all:", "--no-binary", "pyspark", "--requirement"])
            .arg(requirements),
    );
    said(Command::new(&python).args(["-m", "pip", "check", "--disable-pip-version-check"]));
    // Last: an environment that was cut off has no such file.
    fs::write(ready, wanted).unwrap();
    python
}

/// Runs a command to success and gives its standard output.
fn said(command: &mut Command) -> String {
    match command.output() {
        Err(error) => panic!("{NEEDED}\ncannot start {command:?}: {error}"),
        Ok(output) if !output.status.success() => panic!(
            "{NEEDED}\n{command:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
    }
}
