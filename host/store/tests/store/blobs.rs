//! Blobs: stored once, checked at every read, healed by storing again.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use wasmlops_package::Algorithm;

use super::*;

fn place(dir: &Path, digest: &Digest) -> PathBuf {
    let text = digest.to_string();
    let (algorithm, hex) = text.split_once(':').unwrap();
    dir.join("home/blobs").join(algorithm).join(&hex[..2]).join(&hex[2..])
}

/// Changes a stored blob behind the store's back.
fn damage(dir: &Path, digest: &Digest, content: &[u8]) {
    let place = place(dir, digest);
    std::fs::remove_file(&place).unwrap();
    std::fs::write(place, content).unwrap();
}

#[tokio::test]
async fn keeps_bytes_under_their_digest() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let large = vec![7_u8; 1 << 20];
    for content in [Vec::new(), b"rows".to_vec(), large] {
        let digest = store.blobs().put(content.clone()).await.unwrap();
        assert_eq!(digest, Digest::blake3(&content));
        assert_eq!(store.blobs().put(content.clone()).await.unwrap(), digest);
        assert_eq!(store.blobs().get(&digest).await.unwrap(), content);
        assert_eq!(store.blobs().size(&digest).unwrap(), content.len() as u64);
        assert!(store.blobs().contains(&digest));
        let mode = std::fs::metadata(place(dir.path(), &digest)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o444);
    }
    let component = store.blobs().put_as(Algorithm::Sha256, "component").await.unwrap();
    assert_eq!(component, Digest::sha256(b"component"));
    assert_eq!(store.blobs().get(&component).await.unwrap(), b"component");
    let durable = store.blobs().put_durable("durable").await.unwrap();
    assert_eq!(store.blobs().get(&durable).await.unwrap(), b"durable");
    assert_eq!(std::fs::read_dir(dir.path().join("home/tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_blob_comes_piece_by_piece_or_not_at_all() {
    use std::io::Write;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let mut writer = store.blobs().begin(Algorithm::Blake3).unwrap();
    writer.write_all(b"ro").unwrap();
    writer.write_all(b"ws").unwrap();
    assert_eq!((writer.size(), writer.digest()), (4, Digest::blake3(b"rows")));
    let digest = writer.keep().unwrap();
    assert_eq!(store.blobs().get(&digest).await.unwrap(), b"rows");
    store.barrier().await.unwrap();
    let mut broken_off = store.blobs().begin(Algorithm::Sha256).unwrap();
    broken_off.write_all(b"half").unwrap();
    drop(broken_off);
    assert!(!store.blobs().contains(&Digest::sha256(b"half")));
    assert_eq!(std::fs::read_dir(dir.path().join("home/tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn tells_missing_from_damaged_and_heals() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let blobs = store.blobs();
    let digest = Digest::blake3(b"rows");
    assert!(matches!(blobs.get(&digest).await, Err(BlobError::Missing(missing)) if missing == digest));
    assert!(matches!(blobs.size(&digest), Err(BlobError::Missing(_))));
    blobs.put("rows").await.unwrap();
    damage(dir.path(), &digest, b"rowz");
    assert!(matches!(blobs.get(&digest).await, Err(BlobError::Corrupt(corrupt)) if corrupt == digest));
    assert!(!blobs.contains(&digest));
    let aside = dir.path().join("home/blobs/corrupt").join(format!("blake3-{}", digest.hex()));
    assert_eq!(std::fs::read(aside).unwrap(), b"rowz");
    blobs.put("rows").await.unwrap();
    assert_eq!(blobs.get(&digest).await.unwrap(), b"rows");
}

#[tokio::test]
async fn storing_heals_what_power_loss_tore() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for torn in [&b""[..], b"ro", b"rowz"] {
        let digest = store.blobs().put("rows").await.unwrap();
        damage(dir.path(), &digest, torn);
        store.blobs().put("rows").await.unwrap();
        assert_eq!(store.blobs().get(&digest).await.unwrap(), b"rows");
    }
}

#[tokio::test]
async fn a_reader_ends_well_only_with_whole_content() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let content: Vec<u8> = (0..300_000_u32).map(|i| i as u8).collect();
    for algorithm in [Algorithm::Blake3, Algorithm::Sha256] {
        let digest = store.blobs().put_as(algorithm, content.clone()).await.unwrap();
        let mut read = Vec::new();
        let mut reader = store.blobs().open_reader(&digest).unwrap();
        assert_eq!(reader.size(), content.len() as u64);
        reader.read_to_end(&mut read).unwrap();
        assert_eq!(read, content);
        let mut bad = content.clone();
        bad[200_000] ^= 1;
        damage(dir.path(), &digest, &bad);
        let mut reader = store.blobs().open_reader(&digest).unwrap();
        let error = reader.read_to_end(&mut read).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
        assert!(reader.read(&mut [0]).is_err());
        assert!(matches!(store.blobs().open_reader(&digest), Err(BlobError::Missing(_))));
    }
}

#[tokio::test]
async fn the_barrier_covers_few_blobs_and_many() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.barrier().await.unwrap();
    for count in [0_u32, 3, 100] {
        for i in 0..count {
            store.blobs().put(format!("{count}/{i}")).await.unwrap();
        }
        store.barrier().await.unwrap();
    }
    // One that was found damaged meanwhile is no reason to fail.
    let digest = store.blobs().put("rows").await.unwrap();
    damage(dir.path(), &digest, b"");
    assert!(store.blobs().get(&digest).await.is_err());
    store.barrier().await.unwrap();
}
