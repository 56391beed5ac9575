//! What starts the export every night, under `examples/nightly/`: judged by the schemas and tools of those who read it,
//! and its command run as it stands there, twice, with other paths.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Outcome, run, scratch};
use crate::python::environment;
use crate::repository;
use crate::sandbox::{KEY, SECRET, Sandbox};

fn recipe(name: &str) -> String {
    fs::read_to_string(repository("examples/nightly").join(name)).unwrap()
}

/// A validator of the environment with these arguments.
fn validator(name: &str, arguments: &[&str], file: &Path) -> Outcome {
    let python = environment("documents-venv", &repository("tests/documents/requirements.txt"));
    let mut command = Command::new(python.with_file_name(name));
    command.args(arguments).arg(file);
    run(command)
}

/// Runs a shell's text against a sandbox with the binary in the path, two nights; the second one has nothing to do.
fn two_nights(name: &str, text: &str) {
    let sandbox = Sandbox::start(&["--events", "500"]);
    let folder = scratch(&format!("documents-nightly-{name}"));
    let credentials = folder.join("credentials");
    fs::write(&credentials, format!("VONAGE_API_KEY={KEY}\nVONAGE_API_SECRET={SECRET}\n")).unwrap();
    fs::set_permissions(&credentials, fs::Permissions::from_mode(0o600)).unwrap();
    let here = folder.to_str().unwrap();
    let text = ["/etc/vonage-audit", "/var/lib/vonage-audit", "/srv", "=/audit"].iter().fold(
        text.to_owned(),
        |text, path| match path.strip_prefix('=') {
            Some(path) => text.replace(&format!("={path}"), &format!("={here}{path}")),
            None => text.replace(path, here),
        },
    );
    let binary = Path::new(env!("CARGO_BIN_EXE_vonage-audit")).parent().unwrap();
    for night in 1..=2 {
        let mut shell = Command::new("bash");
        shell
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", binary.display()))
            .env("VONAGE_AUDIT_API_URL", &sandbox.url)
            .env("DEST", folder.join("audit"))
            .env("GITHUB_STEP_SUMMARY", folder.join("summary"))
            .args(["-eo", "pipefail", "-c", &text])
            .current_dir(&folder);
        // Cron's line has a file for its credentials, and its own way to say the code.
        if !text.contains("--credentials-file") {
            shell.env("VONAGE_API_KEY", KEY).env("VONAGE_API_SECRET", SECRET);
        }
        let outcome = run(shell).expect(0);
        assert!(!outcome.stdout.contains("ended with"), "{name}, night {night}: {outcome:?}");
    }
    let log: Vec<PathBuf> = ["audit", "audit/data"]
        .iter()
        .map(|dest| folder.join(dest).join("_audit/commits/0000000000000000.json"))
        .filter(|commit| commit.exists())
        .collect();
    assert_eq!(log.len(), 1, "{name} exported into {}", folder.display());
}

#[test]
fn cron_takes_the_line_and_the_line_works() {
    let text = recipe("crontab");
    let line = text.lines().find(|line| line.starts_with(|first: char| first.is_ascii_digit())).unwrap();
    let fields: Vec<_> = line.splitn(7, [' ', '\t']).filter(|field| !field.is_empty()).collect();
    assert_eq!(fields.get(..5).unwrap(), ["17", "3", "*", "*", "*"], "{line}");
    let (user, command) = line.trim_start_matches(['1', '7', '3', '*', ' ']).split_once("  ").unwrap();
    assert_eq!(user, "vonage-audit");
    assert!(!command.contains('%'), "cron ends a line at %");
    two_nights("cron", command);
}

/// Needs `systemd-analyze` (Debian: apt-get install systemd).
#[test]
fn systemd_takes_the_units_and_the_service_works() {
    let folder = scratch("documents-systemd");
    let judge = |service: &str| {
        let service = service.replace("/usr/bin/vonage-audit", env!("CARGO_BIN_EXE_vonage-audit"));
        fs::write(folder.join("vonage-audit.service"), service).unwrap();
        fs::write(folder.join("vonage-audit.timer"), recipe("vonage-audit.timer")).unwrap();
        let mut command = Command::new("systemd-analyze");
        command.arg("verify");
        command.arg(folder.join("vonage-audit.service")).arg(folder.join("vonage-audit.timer"));
        run(command)
    };
    let service = recipe("vonage-audit.service");
    let said = judge(&service).expect(0);
    assert_eq!(said.stdout + &said.stderr, "");
    let planted = judge(&service.replace("RestartSec=30min", "RestartSec=soon"));
    assert!(planted.stderr.contains("soon"), "{planted:?}");
    let start = service.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/")).unwrap();
    two_nights("systemd", start);
}

#[test]
fn kubernetes_takes_the_manifest_and_its_arguments_work() {
    let path = repository("examples/nightly/kubernetes.yaml");
    for version in ["1.31.0", "1.37.0"] {
        let said = validator("kubernetes-validate", &["--strict", "-k", version], &path).expect(0);
        assert!((said.stdout + &said.stderr).contains("cronjob/vonage-audit"), "{version}");
    }
    let text = recipe("kubernetes.yaml");
    let planted = scratch("documents-kubernetes").join("planted.yaml");
    fs::write(&planted, text.replace("concurrencyPolicy", "concurencyPolicy")).unwrap();
    assert_ne!(validator("kubernetes-validate", &["--strict"], &planted).code, Some(0));
    let arguments: Vec<_> = text
        .lines()
        .skip_while(|line| line.trim() != "args:")
        .skip(1)
        .map_while(|line| line.trim().strip_prefix("- "))
        .collect();
    assert!(arguments.len() > 4, "{arguments:?}");
    two_nights("kubernetes", &format!("vonage-audit {}", arguments.join(" ")));
}

/// Needs `jq`.
#[test]
fn github_takes_the_workflow_and_its_step_works() {
    let schema = ["--builtin-schema", "vendor.github-workflows"];
    validator("check-jsonschema", &schema, &repository("examples/nightly/github-actions.yml")).expect(0);
    let text = recipe("github-actions.yml");
    let planted = scratch("documents-github").join("planted.yml");
    fs::write(&planted, text.replace("runs-on", "run-on")).unwrap();
    assert_eq!(validator("check-jsonschema", &schema, &planted).code, Some(1));
    let (_, step) = text.split_once("- name: Export").unwrap();
    let (_, script) = step.split_once("run: |\n").unwrap();
    two_nights("github", script);
    let summary = fs::read_to_string(scratch_of("documents-nightly-github").join("summary")).unwrap();
    assert!(summary.contains("\"sha256\""), "{summary}");
}

/// Where `scratch` put it.
fn scratch_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
