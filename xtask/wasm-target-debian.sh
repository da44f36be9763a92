#!/usr/bin/env bash
# Makes a toolchain that builds for wasm32-wasip2 out of Debian's packages, where rustup cannot fetch the target.
# `cargo xtask wasm-target` calls it, with the folder that the toolchain is to lie in; it may be called by hand, too.
#
# Debian has no standard library for wasm32-wasip2, but all that is needed to build one: a compiler that knows the
# target, the library's sources (both in Debian 12) and wasi-libc (in `forky` only, fetched alone over a sources list
# of its own). The linkers come with the Rust toolchain in use. Nothing here changes which `cargo` is found first.
set -euo pipefail

folder=${1:?usage: wasm-target-debian.sh FOLDER}
target=wasm32-wasip2
packages=(rustc-web cargo-web rust-web-src)

say() { echo "wasm-target: $*" >&2; }
fail() { say "$*"; exit 1; }

command -v apt-get >/dev/null || fail "this is not a Debian system: there is no \`apt-get\`"
as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "installing ${packages[*]} needs root, and there is no \`sudo\`"
    as_root=(sudo)
fi

in_use=$(rustc --print sysroot) || fail 'there is no `rustc` in PATH: the linkers are taken from its toolchain'
host=$(rustc --version --verbose | sed -n 's/^host: //p')
linkers=$in_use/lib/rustlib/$host/bin
for linker in rust-lld wasm-component-ld gcc-ld; do
    [ -e "$linkers/$linker" ] || fail "the toolchain \`$in_use\` has no \`$linker\`"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say "installing Debian's packages ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
apt=(apt-get --quiet --quiet -o DPkg::Lock::Timeout=300)
"${as_root[@]}" "${apt[@]}" update >&2 || say 'apt-get update failed; going on with the lists that are there'
"${as_root[@]}" "${apt[@]}" install --yes --no-install-recommends "${packages[@]}" </dev/null >&2

say "fetching wasi-libc from Debian's suite forky"
mkdir -p "$work"/apt/{lists,cache,state}/partial "$work"/apt/cache/archives/partial "$work"/wasi-libc
echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian forky main' \
    >"$work/apt/sources.list"
private=("${apt[@]}" -o APT::Sandbox::User="$(id -un)" -o Dir::Etc::SourceList="$work/apt/sources.list"
    -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache")
"${private[@]}" update >&2
(cd "$work" && "${private[@]}" download wasi-libc >&2)
dpkg -x "$work"/wasi-libc_*.deb "$work/wasi-libc"
libc=$(find "$work/wasi-libc" -type d -path "*/$target" -exec test -e '{}/libc.a' \; -print -quit)
[ -n "$libc" ] || fail "wasi-libc has no folder for $target"

say 'building the standard library, once (a minute or two)'
mkdir -p "$work/empty/src"
touch "$work/empty/src/lib.rs"
printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$work/empty/Cargo.toml"
# The objects carry bitcode next to code, as those that rustup brings do: plugins that are built with LTO need it.
# (Building this with LTO would leave bitcode alone, and then the linker meets the library's interface types twice.)
commit=$(/usr/bin/rustc --version --verbose | sed -n 's/^commit-hash: //p')
crates=${CARGO_HOME:-$HOME/.cargo}/registry/src
sources=$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust
flags=$(printf '%s\037' -Cembed-bitcode=yes "--remap-path-prefix=$sources=/rustc/$commit" \
    "--remap-path-prefix=$crates=/crates")
(cd "$work/empty" && env -u CARGO_TARGET_DIR -u RUSTC_WRAPPER -u RUSTC_WORKSPACE_WRAPPER \
    PATH="$linkers:$linkers/gcc-ld:$PATH" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
    CARGO_ENCODED_RUSTFLAGS="${flags%?}" CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
    /usr/bin/cargo build --release --target "$target" --target-dir "$work/std" \
    -Zbuild-std=std,panic_abort,panic_unwind,test </dev/null >&2)

say "laying out the toolchain in $folder"
rm -rf "$folder.new"
mkdir -p "$folder.new/bin" "$folder.new/lib/rustlib/$target/lib/self-contained"
cat >"$folder.new/bin/rustc" <<WRAPPER
#!/bin/sh
PATH="$linkers:$linkers/gcc-ld:\$PATH" exec /usr/bin/rustc --sysroot "$folder" "\$@"
WRAPPER
chmod +x "$folder.new/bin/rustc"
ln -s /usr/bin/cargo "$folder.new/bin/cargo"
ln -s "$(/usr/bin/rustc --print sysroot)/lib/rustlib/$host" "$folder.new/lib/rustlib/$host"
cp "$work/std/$target"/release/deps/*.rlib "$folder.new/lib/rustlib/$target/lib/"
cp "$libc"/* "$folder.new/lib/rustlib/$target/lib/self-contained/"
rm -f "$folder.new/lib/rustlib/$target/lib"/libempty-*.rlib
rm -rf "$folder"
mv "$folder.new" "$folder"

if command -v rustup >/dev/null; then
    rustup toolchain link wasm "$folder" >&2
    say 'linked in rustup: `cargo +wasm build --target wasm32-wasip2` uses it'
fi
