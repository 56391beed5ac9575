//! The report page, as an auditor's browser and a strict parser see it.
//!
//! The program makes a dataset from its sandbox, or from hostile events, and the page of it. A strict HTML parser reads
//! it, DuckDB counts the same files, and headless Chromium renders it: nothing is said on its console and nothing is
//! asked of any network. axe-core judges it in light, in dark and on paper, and the contrast of each text and chart is measured.
//! Planted pages show that these checks can fail.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test program"
)]

#[path = "harness/program.rs"]
mod program;
#[path = "harness/python.rs"]
mod python;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use program::{Outcome, program, run, scratch};
use python::script;
use serde_json::Value;

fn report(dest: &Path, out: &Path, words: &[&str]) -> Outcome {
    let mut command = program();
    command.arg("report").arg(dest).arg("--out").arg(out).args(words);
    run(command)
}

fn convert(place: &Path, lines: &str, code: i32) -> PathBuf {
    let (events, dest) = (place.join("events.ndjson"), place.join("dest"));
    fs::write(&events, lines).unwrap();
    let mut command = program();
    command.arg("convert").arg(&events).arg("--dest").arg(&dest).args(["--account", "abcd1234"]);
    run(command).expect(code);
    dest
}

fn check(dest: &Path, page: &Path) {
    let mut command = script("report.py");
    command.arg(dest).arg(page);
    let outcome = run(command).expect(0);
    println!("{}", outcome.stdout.trim());
}

/// What a browser logs of a page on its console, and every address of the web that it asked for.
fn browse(page: &Path) -> (Vec<String>, Vec<String>) {
    let place = tempfile::tempdir().unwrap();
    let log = place.path().join("net.json");
    let mut command = Command::new("chromium");
    command
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-default-apps"])
        .args(["--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--log-net-log={}", log.display()))
        .arg(format!("--user-data-dir={}", place.path().join("profile").display()))
        .arg(format!("file://{}", page.display()));
    assert!(
        Command::new("chromium").arg("--version").output().is_ok(),
        "Chromium is needed (Debian: apt-get install chromium)"
    );
    let outcome = run(command).expect(0);
    assert!(outcome.stdout.contains("</html>"), "not rendered: {}", outcome.stderr);
    let console = outcome.stderr.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    let net = fs::read_to_string(&log).unwrap();
    assert!(net.contains("\"events\""), "no log of the network");
    let asked = net
        .split('"')
        .filter(|text| text.starts_with("http://") || text.starts_with("https://"))
        // What the browser asks of its maker, whatever the page, some time after it has begun.
        .filter(|text| {
            let host =
                text.split(['/', ' ', ':', '?']).filter(|part| !part.is_empty()).nth(1).unwrap_or_default();
            let maker = [".google.com", ".googleapis.com", ".gvt1.com", ".gstatic.com"];
            // What pages ask of it is asked of these.
            host.starts_with("fonts.")
                || host.starts_with("ajax.")
                || !maker.iter().any(|end| format!(".{host}").ends_with(end))
        })
        .map(str::to_owned)
        .collect();
    (console, asked)
}

#[track_caller]
fn silent(page: &Path) {
    let (console, asked) = browse(page);
    assert!(console.is_empty() && asked.is_empty(), "{console:#?} {asked:#?}");
}

/// The folder with axe-core in it, the version of `tests/browser/package-lock.json`.
fn modules() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    fs::create_dir_all(&home).unwrap();
    let lock = File::create(home.join("lock")).unwrap();
    lock.lock().unwrap();
    let wanted = fs::read_to_string(source.join("package-lock.json")).unwrap();
    let (ready, modules) = (home.join("ready"), home.join("node_modules"));
    if !fs::read_to_string(&ready).is_ok_and(|made| made == wanted) {
        for name in ["package.json", "package-lock.json"] {
            fs::copy(source.join(name), home.join(name)).unwrap();
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"])
            .arg(&home);
        let status = npm.status();
        assert!(
            status.as_ref().is_ok_and(std::process::ExitStatus::success),
            "axe-core needs node 20 or later with npm, and access to the npm registry on the first run: {status:?}"
        );
        fs::write(ready, wanted).unwrap();
    }
    modules
}

/// What axe-core and the measurement say of a page, by medium; pictures of it are under `target/tmp/NAME-seen`. A name is
/// for one call in a run.
fn seen(name: &str, page: &Path, media: &[&str]) -> Value {
    let modules = modules();
    let folder = scratch(&format!("{name}-seen"));
    let mut command = Command::new("node");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/page.mjs");
    command.arg(script).arg(modules).arg(page).arg(folder).args(media);
    serde_json::from_str(&run(command).expect(0).stdout).unwrap()
}

const MEDIA: [&str; 6] = ["light", "dark", "narrow-light", "narrow-dark", "print", "print-dark"];

#[track_caller]
fn for_everybody(name: &str, page: &Path, media: &[&str]) {
    let said = seen(name, page, media);
    for medium in media {
        let said = &said[medium];
        let measured = &said["measured"];
        assert_eq!(said["violations"], Value::Array(Vec::new()), "{name}, {medium}");
        // Undecided is what axe cannot measure, and the measurement does.
        for rule in said["incomplete"].as_array().unwrap() {
            assert_eq!(rule["id"], "color-contrast", "{name}, {medium}: {rule:#}");
        }
        assert_eq!(measured["wrong"], Value::Array(Vec::new()), "{name}, {medium}");
        let undecided = said["incomplete"][0]["nodes"].as_u64().unwrap_or_default();
        let decided = said["contrast_nodes"].as_u64().unwrap();
        let texts = measured["texts"].as_u64().unwrap();
        assert!(
            decided > 50 && texts >= decided + undecided,
            "{name}, {medium}: {texts} texts of {decided} and {undecided}"
        );
        assert_eq!(said["overflow"], 0, "{name}, {medium}: wider than the window");
        assert_eq!(
            said["paper"],
            if *medium == "dark" || *medium == "narrow-dark" {
                "rgb(18, 24, 31)"
            } else {
                "rgb(255, 255, 255)"
            }
        );
        println!(
            "{name}, {medium}: {} rules passed, least contrast {} of {texts} texts and {} of {} shapes",
            said["rules"], measured["least"]["text"], measured["least"]["shape"], measured["shapes"]
        );
    }
}

#[test]
fn a_page_that_not_everybody_can_read_is_found() {
    let place = scratch("report-planted");
    let page = place.join("page.html");
    let planted = "<!DOCTYPE html><html><head><style>body { background: #fff }</style></head><body><main><h1>A</h1>\
                   <p style=\"color:#999\">too light a text</p><p style=\"color:#aaa\">–</p><img src=x>\
                   <br><svg width=99 height=99 viewBox=\"0 0 99 99\"><text y=50 fill=\"#ccc\">in a chart</text><path fill=\"#eee\" d=\"M0 0h9v9z\"/></svg></main>";
    fs::write(&page, planted).unwrap();
    let said = seen("report-planted", &page, &["light"]);
    let found: Vec<_> = said["light"]["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    for rule in ["color-contrast", "document-title", "html-has-lang", "image-alt"] {
        assert!(found.contains(&rule), "{rule} is not among {found:?}");
    }
    let wrong: Vec<_> = said["light"]["measured"]["wrong"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["what"].to_string())
        .collect();
    for what in ["too light", "–", "<text", "<path"] {
        assert!(wrong.iter().any(|text| text.contains(what)), "{what} is not among {wrong:?}");
    }
}

#[test]
fn the_page_of_the_demo_says_what_duckdb_counts() {
    let place = scratch("report-demo");
    let dest = place.join("dest");
    let mut demo = program();
    demo.args(["demo", "--events", "4000", "--dest"]).arg(&dest);
    run(demo).expect(0);
    let (one, two) = (place.join("one.html"), place.join("two.html"));
    report(&dest, &one, &[]).expect(0);
    report(&dest, &two, &["--deep", "--quiet"]).expect(0);
    report(&dest, &two, &[]).expect(0);
    // The same dataset gives the same bytes, whenever and wherever to.
    let page = fs::read_to_string(&one).unwrap();
    assert_eq!(page, fs::read_to_string(&two).unwrap());
    assert!(!page.contains(place.to_str().unwrap()), "the page names a place of this machine");
    assert!(page.contains("90 of 90 days proven"), "{page}");
    check(&dest, &one);
    silent(&one);
    for_everybody("report-demo", &one, &MEDIA);

    // The head that it shows is the one that verify takes.
    let head = page.split("id=\"head\">").nth(1).unwrap().split('<').next().unwrap();
    let outcome = report(&dest, &two, &["--expect-head", head, "--output", "json"]).expect(0);
    assert!(outcome.stdout.contains(head.split_once(':').unwrap().1), "{}", outcome.stdout);

    // A damaged file is a finding, and none of its rows is counted.
    let victim = dest.join("parquet/event_date=2026-02-03/events-20260203-s000.parquet");
    let mut bytes = fs::read(&victim).unwrap();
    bytes[100] ^= 1;
    fs::write(&victim, bytes).unwrap();
    report(&dest, &two, &["--quick"]).expect(9);
    report(&dest, &two, &[]).expect(9);
    let page = fs::read_to_string(&two).unwrap();
    assert!(page.contains("NOT what its log says") && page.contains("V03") && page.contains("t-uncounted"));
    assert!(
        page.contains("90 of 90 days proven complete, by the log alone") && !page.contains("verdict good")
    );
    for_everybody("report-damaged", &two, &["light", "dark"]);
}

#[test]
fn hostile_events_stay_text() {
    let place = scratch("report-hostile");
    let long = "x".repeat(10_240);
    let hostile = [
        "<script>fetch('http://planted.example/a')</script>",
        "<img src=http://planted.example/b onerror=alert(1)>",
        "\\\"><style>@import url(http://planted.example/c)</style>",
        "</td></table></title><h1>all is well</h1>",
        "\\u202eevil\\u202c\\u0000\\u200b\\ufeff",
        "&lt;b&gt; ' \\\" & ]]> --!>",
        &long,
        "",
    ];
    let mut lines = String::new();
    for (number, text) in hostile.iter().enumerate() {
        let types = [(*text).to_owned(), "ACCOUNT_SECRET_CREATE".to_owned(), "NUMBER_UPDATED".to_owned()];
        for (kind, event_type) in types.iter().enumerate() {
            lines += &format!(
                "{{\"id\":\"{number}-{kind}\",\"created_at\":\"2026-03-0{}T23:0{number}:00\",\"event_type\":\"{event_type}\",\
                 \"user_email\":\"{text}\",\"source\":\"{text}\",\"source_ip\":\"{text}\",\"source_country\":\"{text}\",\
                 \"context\":{{\"http\":\"{text}\",\"msisdn\":\"{text}\",\"new {number}\":\"{text}\"}}}}\n",
                kind * 3 + 1
            );
        }
    }
    lines += "{\"id\":\"no time\",\"created_at\":\"yesterday\",\"event_type\":\"APP_CREATE\"}\n";
    // An intruder at night, who gives twelve numbers away within one hour, and nine within the next.
    for number in 0..21 {
        let (hour, minute) = if number < 12 { (2, number) } else { (3, number) };
        lines += &format!(
            "{{\"id\":\"r{number}\",\"created_at\":\"2026-03-01T0{hour}:{minute:02}:00\",\"event_type\":\"NUMBER_RELEASE\",\
             \"user_email\":\"intruder@example.com\",\"context\":{{\"msisdn\":\"4477009000{number:02}\"}}}}\n"
        );
    }
    let dest = convert(&place, &lines, 0);
    let page = place.join("page.html");
    report(&dest, &page, &["--title", "<b>A & B</b>"]).expect(0);
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("<title>&lt;b&gt;A &amp; B&lt;/b&gt;</title>"));
    assert!(text.contains("… (10,240 bytes)") && text.contains("⟨U+202E⟩") && text.contains("⟨U+0000⟩"));
    let bulk = text.split("id=\"t-bulk\"").nth(1).unwrap();
    assert!(
        bulk.contains("2026-03-01 02:00:00") && bulk.contains(">12<") && !bulk.contains("03:00:00"),
        "{bulk}"
    );
    assert!(!text.contains('\u{202e}') && text.contains("0 of 7 days proven"), "{text}");
    check(&dest, &page);
    silent(&page);
    for_everybody("report-hostile", &page, &["narrow-dark", "print"]);

    // Without escape and policy, the same browser says and asks something.
    let planted = place.join("planted.html");
    fs::write(
        &planted,
        "<!DOCTYPE html><html><body><img src=http://planted.example/b><script>console.error('planted')</script></body></html>",
    )
    .unwrap();
    let (console, asked) = browse(&planted);
    assert!(!console.is_empty() && !asked.is_empty(), "{console:?} {asked:?}");
}

#[test]
fn wrong_usage_is_2_and_leaves_no_page() {
    let place = scratch("report-usage");
    let dest = convert(&place, "{\"id\":\"a\",\"created_at\":\"2026-03-01T00:00:00\"}\n", 0);
    let page = place.join("page.html");
    for words in [
        &["--zone", "Mars/Base"][..],
        &["--hours", "8-18"],
        &["--days", "monday"],
        &["--format", "csv"],
        &["--expect-head", "1"],
        &["--quick", "--deep"],
        &["--bulk", "0"],
    ] {
        report(&dest, &page, words).expect(2);
    }
    report(&place, &page, &[]).expect(2);
    report(&dest, &dest.join("page.html"), &[]).expect(2);
    report(&dest, &dest.join("_audit/page.html"), &[]).expect(2);
    assert!(!page.exists() && !dest.join("page.html").exists());
    report(&dest, &place.join("nowhere/page.html"), &[]).expect(7);
    let outcome = report(&dest, Path::new("-"), &[]).expect(0);
    assert!(outcome.stdout.starts_with("<!DOCTYPE html>") && outcome.stdout.trim_end().ends_with("</html>"));
}
