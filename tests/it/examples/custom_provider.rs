use super::example;

#[test]
fn lists_the_simulator() {
    let output = example("custom_provider").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 250);
    let summary = String::from_utf8(output.stderr).unwrap();
    assert!(summary.starts_with("250 items, ") && summary.ends_with("; complete\n"), "{summary}");
}
