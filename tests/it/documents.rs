//! The commands that the documents show do what they show: every `$ wasmlops …` line is run, page by page, in a fresh
//! folder. A YAML block that begins with the name of a file at the top level, `# release.yaml`, is written there first.

use std::fs;
use std::path::Path;

use crate::support::{TestProject, workspace};

#[test]
fn every_command_shown_works() {
    let mut pages = vec![workspace().join("README.md")];
    pages.extend(fs::read_dir(workspace().join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    pages.retain(|page| page.extension().is_some_and(|ending| ending == "md"));
    let mut commands = 0;
    for page in pages {
        commands += run_page(&page, &TestProject::empty());
    }
    assert!(commands >= 10, "the documents show only {commands} commands");
}

/// Runs what a page shows, in a project; gives how many commands that was.
///
/// Lines of `console` blocks that begin with `$ `. `cd` moves; `RUN` stands for the id of the newest run. `yaml` blocks
/// that name a file make it.
pub fn run_page(page: &Path, project: &TestProject) -> usize {
    let text = fs::read_to_string(page).unwrap();
    let mut folder = project.path().to_owned();
    let mut commands = 0;
    for block in text.split("\n```").skip(1) {
        if let Some((name, _)) = block.strip_prefix("yaml\n# ").and_then(|block| block.split_once('\n'))
            && name.ends_with(".yaml")
            && !name.contains(['/', ' '])
        {
            fs::write(folder.join(name), block.strip_prefix("yaml\n").unwrap_or(block)).unwrap();
        }
        let Some(block) = block.strip_prefix("console\n") else { continue };
        for line in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
            let mut words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["cd", to] => folder = folder.join(to),
                ["wasmlops", ..] => {
                    commands += 1;
                    let newest = newest_run(&folder, project);
                    for word in &mut words {
                        if *word == "RUN" {
                            *word = &newest;
                        }
                    }
                    let output: Vec<String> =
                        words.iter().map(|word| word.replace("RUN/", &format!("{newest}/"))).collect();
                    let arguments: Vec<&str> = output[1..].iter().map(String::as_str).collect();
                    let ended = project.command(&arguments).current_dir(&folder).output().unwrap();
                    let said = String::from_utf8_lossy(&ended.stderr);
                    assert!(ended.status.success(), "{}: `{line}`: {said}", page.display());
                }
                // What contributors run is run by contributors: `cargo xtask demo` and `cargo xtask test`.
                ["cargo" | "git", ..] => {}
                _ => panic!("{}: a command that no test runs: `{line}`", page.display()),
            }
        }
    }
    commands
}

fn newest_run(folder: &Path, project: &TestProject) -> String {
    let listed = project.command(&["runs", "list", "--json", "--limit", "1"]).current_dir(folder).output().unwrap();
    let runs: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap_or_default();
    runs["runs"][0]["run"].as_str().unwrap_or("RUN").to_owned()
}
