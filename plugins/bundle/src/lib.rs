//! The standard plugins, built from `plugins/` and embedded, so that an installed `wasmlops` needs neither a toolchain
//! nor the network to run them. Knows bytes and folder names only: what a component is and does, its manifest says.
//! The list of plugins, and how they are compiled, is in `build.rs`.

/// A standard plugin.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    /// The plugin's name: that of its folder and of its manifest.
    pub name: &'static str,
    /// The component.
    pub bytes: &'static [u8],
}

/// The standard plugins of this build, by name.
pub fn standard() -> &'static [Embedded] {
    include!(concat!(env!("OUT_DIR"), "/bundle.rs"))
}

/// The plugins of the examples, for tests. Nothing else asks for them, so that no binary carries them.
pub fn examples() -> &'static [Embedded] {
    include!(concat!(env!("OUT_DIR"), "/examples.rs"))
}

#[cfg(test)]
mod tests {
    use wasmlops_package::Component;

    use super::standard;

    #[test]
    fn every_standard_plugin_is_one_and_has_the_name_of_its_folder() {
        for plugin in standard() {
            let component = Component::inspect(plugin.bytes).unwrap_or_else(|error| panic!("{}: {error}", plugin.name));
            assert_eq!(component.manifest.name.as_str(), plugin.name);
            assert_eq!(component.manifest.version.to_string(), env!("CARGO_PKG_VERSION"), "{}", plugin.name);
        }
    }

    #[test]
    fn components_say_nothing_about_the_machine_that_built_them() {
        // Paths in panic messages are the only way in; the build script replaces their prefixes.
        let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/").trim_end_matches("plugins/bundle/");
        for plugin in standard() {
            for folder in [workspace, ".cargo/registry/"] {
                let found = plugin.bytes.windows(folder.len()).any(|window| window == folder.as_bytes());
                assert!(!found, "`{}` names `{folder}`", plugin.name);
            }
        }
    }
}
