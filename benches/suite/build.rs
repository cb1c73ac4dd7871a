//! Build time and number of dependencies.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::Path,
    process::{Command, Output},
    time::Instant,
};

use super::report::{Section, Table, Target};

/// Names and dependencies of the programs to build. `{}` is replaced by the path of this crate.
const PROGRAMS: [(&str, &str); 4] = [
    (
        "reqwest with rustls and gzip",
        r#"reqwest = { version = "0.13", default-features = false, features = ["gzip", "rustls"] }"#,
    ),
    ("headcount", r#"headcount = { path = "{}" }"#),
    (
        "headcount, SailPoint and rustls",
        r#"headcount = { path = "{}", default-features = false, features = ["sailpoint", "rustls"] }"#,
    ),
    (
        "headcount, all providers, no TLS",
        r#"headcount = { path = "{}", default-features = false, features = ["fortanix", "huawei", "annature", "sailpoint"] }"#,
    ),
];

/// The cost of building a program.
struct Cost {
    seconds: f64,
    crates: usize,
}

pub(crate) fn run() {
    let mut table = Table::new(&["a program that depends on", "s", "÷ reqwest", "", "crates"]);
    let mut reqwest = None;
    for (name, dependency) in PROGRAMS {
        let is_default = name == "headcount";
        match build(dependency) {
            Ok(cost) => {
                let ratio = cost.seconds / *reqwest.get_or_insert(cost.seconds);
                let judged = if is_default { Target::AtMost(1.1).judge(ratio) } else { String::new() };
                let seconds = format!("{:.1}", cost.seconds);
                let crates = cost.crates.to_string();
                table.row([name.to_owned(), seconds, format!("{ratio:.2}"), judged, crates]);
            }
            Err(message) => {
                table.row([name.to_owned(), message, String::new(), String::new(), String::new()]);
            }
        }
    }
    Section {
        name: "build",
        target: "build",
        title: "Building",
        text: "A cold debug build of an empty program with the versions in `Cargo.lock`. The crates do not include the \
               program itself."
            .into(),
        tables: vec![table],
    }
    .publish();
}

fn build(dependency: &str) -> Result<Cost, String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dependency = dependency.replace("{}", &root.display().to_string());
    let manifest = format!(
        "[package]\nname = \"program\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{dependency}\n"
    );
    let prepare = || {
        fs::create_dir(directory.path().join("src"))?;
        fs::write(directory.path().join("src").join("main.rs"), "fn main() {}\n")?;
        fs::write(directory.path().join("Cargo.toml"), manifest)?;
        fs::copy(root.join("Cargo.lock"), directory.path().join("Cargo.lock"))
    };
    prepare().map_err(|error| error.to_string())?;
    let tree = cargo(directory.path(), &["tree", "--edges", "normal,build", "--prefix", "none"])?;
    let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
    let crates: BTreeSet<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    let began = Instant::now();
    cargo(directory.path(), &["build"])?;
    Ok(Cost { seconds: began.elapsed().as_secs_f64(), crates: crates.len() - 1 })
}

/// Runs cargo offline in `directory`, with its own target directory.
fn cargo(directory: &Path, arguments: &[&str]) -> Result<Output, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = Command::new(cargo)
        .args(arguments)
        .args(["--offline", "--quiet"])
        .env("CARGO_TARGET_DIR", directory.join("target"))
        .current_dir(directory)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(output);
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(text.lines().next().unwrap_or("cargo failed").replace('|', " "))
}
