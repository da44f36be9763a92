//! Lists the standard plugins as they are built: name, version, size and digest of each. `cargo xtask plugins` runs it.

use std::process::ExitCode;

use wasmlops_package::Component;

fn main() -> ExitCode {
    let mut result = ExitCode::SUCCESS;
    for plugin in wasmlops_plugins::standard() {
        match Component::inspect(plugin.bytes) {
            Ok(component) => {
                let version = component.manifest.version.to_string();
                let kilobytes = plugin.bytes.len().div_ceil(1000);
                println!("{:<18} {version:<8} {kilobytes:>6} kB  {}", plugin.name, component.digest);
            }
            Err(error) => {
                eprintln!("`{}` is not a plugin: {error}", plugin.name);
                result = ExitCode::FAILURE;
            }
        }
    }
    result
}
