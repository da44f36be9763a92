//! Tokens of a provider that these tests are, with keys that ring makes, and a server that hands them out.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wasmlops_core::config::RoleClaim;

use super::*;
use crate::clock::ManualClock;

/// 2026-01-01, in seconds.
const NOW: i64 = 1_767_225_600;

/// ring makes no RSA keys: this one is for these tests alone.
const RSA: &str = include_str!("test-rsa.pk8.b64");

enum Signer {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

fn text(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    fn rsa() -> Self {
        let der = BASE64_STANDARD.decode(RSA.replace('\n', "")).unwrap();
        Self::Rsa(RsaKeyPair::from_pkcs8(&der).unwrap())
    }

    fn p256() -> Self {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::P256(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
    }

    fn ed() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Signer::Rsa(_) => "RS256",
            Signer::P256(_) => "ES256",
            Signer::Ed(_) => "EdDSA",
        }
    }

    fn jwk(&self, id: &str) -> Value {
        match self {
            Signer::Rsa(pair) => {
                let PublicKeyComponents { n, e }: PublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({ "kty": "RSA", "kid": id, "use": "sig", "alg": "RS256", "n": text(&n), "e": text(&e) })
            }
            Signer::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "kid": id, "x": text(&point[1..33]), "y": text(&point[33..]) })
            }
            Signer::Ed(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": text(pair.public_key().as_ref()) })
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Signer::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Signer::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Signer::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    fn token(&self, id: &str, claims: &Value) -> String {
        self.token_with(&json!({ "alg": self.algorithm(), "kid": id, "typ": "JWT" }).to_string(), &claims.to_string())
    }

    fn token_with(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", text(header.as_bytes()), text(claims.as_bytes()));
        let signature = text(&self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

/// A provider at an address of this machine.
struct Provider {
    issuer: String,
    keys: Arc<Mutex<Value>>,
    /// Requests for keys.
    asked: Arc<AtomicUsize>,
    clock: Arc<ManualClock>,
}

impl Provider {
    async fn start(keys: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (keys, asked) = (Arc::new(Mutex::new(keys)), Arc::new(AtomicUsize::new(0)));
        let discovery = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
        tokio::spawn(serve(listener, discovery, keys.clone(), asked.clone()));
        Self { issuer, keys, asked, clock: Arc::new(ManualClock::at(NOW * 1_000_000)) }
    }

    fn oidc(&self, map: Option<Vec<(String, Role)>>) -> Oidc {
        let config = OidcConfig {
            issuer: self.issuer.clone(),
            audience: vec!["wasmlops".to_owned()],
            jwks: None,
            roles: RoleClaim { claim: "realm.groups".to_owned(), map },
        };
        Oidc::new(config, &Broker::default(), self.clock.clone())
    }

    fn set_keys(&self, keys: &[Value]) {
        *self.keys.lock().unwrap() = json!({ "keys": keys });
    }

    fn claims(&self) -> Value {
        json!({
            "iss": self.issuer, "sub": "ann", "aud": ["other", "wasmlops"], "exp": NOW + 600,
            "realm": { "groups": ["staff", "editor", "viewer"] },
        })
    }
}

async fn serve(listener: TcpListener, discovery: Value, keys: Arc<Mutex<Value>>, asked: Arc<AtomicUsize>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if stream.read(&mut byte).await.unwrap_or(0) == 0 {
                break;
            }
            head.push(byte[0]);
        }
        let body = match head.starts_with(b"GET /keys ") {
            true => {
                asked.fetch_add(1, Ordering::Relaxed);
                keys.lock().unwrap().to_string()
            }
            false => discovery.to_string(),
        };
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

#[tokio::test]
async fn tokens_of_all_three_algorithms_are_taken() {
    let signers = [Signer::rsa(), Signer::p256(), Signer::ed()];
    let provider = Provider::start(json!({})).await;
    provider.set_keys(&[signers[0].jwk("0"), signers[1].jwk("1"), signers[2].jwk("2")]);
    let oidc = provider.oidc(None);
    for (id, signer) in signers.iter().enumerate() {
        let found = oidc.identify(&signer.token(&id.to_string(), &provider.claims())).await.unwrap();
        let expected =
            Identity { subject: "ann".to_owned(), role: Some(Role::Editor), expires: (NOW + 660) * 1_000_000 };
        assert_eq!(found, Some(expected), "{}", signer.algorithm());
        // Without an id, the only key of its algorithm is meant.
        let plain =
            signer.token_with(&json!({ "alg": signer.algorithm() }).to_string(), &provider.claims().to_string());
        assert!(oidc.identify(&plain).await.unwrap().is_some());
    }
    assert_eq!(provider.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn claims_that_are_not_for_us_are_refused() {
    let signer = Signer::p256();
    let provider = Provider::start(json!({ "keys": [signer.jwk("k")] })).await;
    let oidc = provider.oidc(None);
    for (claim, value) in [
        ("iss", json!("https://evil.example.org")),
        ("iss", json!([provider.issuer])),
        ("aud", json!("other")),
        ("aud", json!([])),
        ("aud", json!(null)),
        ("exp", json!(NOW - 61)),
        ("exp", json!("2030-01-01")),
        ("exp", json!(null)),
        ("nbf", json!(NOW + 61)),
        ("nbf", json!("soon")),
        ("sub", json!("")),
        ("sub", json!("a\nb")),
        ("sub", json!("x".repeat(256))),
        ("sub", json!(7)),
    ] {
        let mut claims = provider.claims();
        claims[claim] = value.clone();
        assert_eq!(oidc.identify(&signer.token("k", &claims)).await.unwrap(), None, "{claim}: {value}");
    }
    // Leeway both ways, and a time with a fraction.
    for (claim, value) in [("exp", json!(NOW - 59)), ("nbf", json!(NOW + 59)), ("exp", json!(NOW as f64 + 0.5))] {
        let mut claims = provider.claims();
        claims[claim] = value;
        assert!(oidc.identify(&signer.token("k", &claims)).await.unwrap().is_some(), "{claims}");
    }
    let twice = provider.claims().to_string().replacen('{', &format!("{{\"exp\":{},", NOW + 9), 1);
    let header = json!({ "alg": "ES256", "kid": "k" }).to_string();
    assert_eq!(oidc.identify(&signer.token_with(&header, &twice)).await.unwrap(), None);
}

#[tokio::test]
async fn signatures_that_are_none_are_refused() {
    let (signer, other) = (Signer::ed(), Signer::ed());
    let provider = Provider::start(json!({ "keys": [signer.jwk("k")] })).await;
    let oidc = provider.oidc(None);
    let claims = provider.claims();
    let good = signer.token("k", &claims);
    let (signed, _) = good.rsplit_once('.').unwrap();
    let header = |header: Value| signer.token_with(&header.to_string(), &claims.to_string());
    for (what, token) in [
        ("another's", other.token("k", &claims)),
        ("none", header(json!({ "alg": "none", "kid": "k" }))),
        ("secret", header(json!({ "alg": "HS256", "kid": "k" }))),
        ("other algorithm", header(json!({ "alg": "ES256", "kid": "k" }))),
        ("critical", header(json!({ "alg": "EdDSA", "kid": "k", "crit": ["exp"] }))),
        ("type", header(json!({ "alg": "EdDSA", "kid": "k", "typ": "dpop+jwt" }))),
        ("empty", format!("{signed}.")),
        ("short", format!("{signed}.AAAA")),
        ("changed", good.replacen(&text(claims.to_string().as_bytes()), &text(b"{}"), 1)),
        ("parts", format!("{good}.x")),
        ("padding", format!("{good}=")),
    ] {
        assert_eq!(oidc.identify(&token).await.unwrap(), None, "{what}");
    }
    assert!(oidc.identify(&good).await.unwrap().is_some());
}

#[tokio::test]
async fn keys_are_fetched_again_for_a_new_one_but_not_often() {
    let (old, new) = (Signer::p256(), Signer::p256());
    let provider = Provider::start(json!({ "keys": [old.jwk("old")] })).await;
    let oidc = provider.oidc(None);
    let asked = || provider.asked.load(Ordering::Relaxed);
    let claims = json!({ "exp": NOW + 20_000 });
    let claims = Value::Object(
        provider.claims().as_object().unwrap().clone().into_iter().chain(claims.as_object().unwrap().clone()).collect(),
    );
    let (by_old, by_new) = (old.token("old", &claims), new.token("new", &claims));
    assert!(oidc.identify(&by_old).await.unwrap().is_some());
    // Strangers who name keys make no more than one request in half a minute.
    for _ in 0..5 {
        assert_eq!(oidc.identify(&by_new).await.unwrap(), None);
    }
    assert_eq!(asked(), 1);
    provider.set_keys(&[new.jwk("new")]);
    provider.clock.advance(Duration::from_secs(31));
    assert!(oidc.identify(&by_new).await.unwrap().is_some());
    assert_eq!(asked(), 2);
    assert_eq!(oidc.identify(&by_old).await.unwrap(), None, "its key was withdrawn");
    // A key that is withdrawn without a new one is believed for an hour.
    provider.set_keys(&[]);
    provider.clock.advance(Duration::from_secs(1_800));
    assert!(oidc.identify(&by_new).await.unwrap().is_some());
    provider.clock.advance(Duration::from_secs(1_900));
    assert_eq!(oidc.identify(&by_new).await.unwrap(), None);
}

#[tokio::test]
async fn a_provider_that_is_away_is_said_to_be() {
    let signer = Signer::ed();
    let provider = Provider::start(json!({ "keys": [signer.jwk("k")] })).await;
    let token = signer.token("k", &provider.claims());
    let mut config = (*provider.oidc(None).config).clone();
    config.jwks = Some("http://127.0.0.1:1/keys".to_owned());
    let oidc = Oidc::new(config, &Broker::default(), provider.clock.clone());
    for _ in 0..2 {
        assert!(oidc.identify(&token).await.is_err());
    }
    // What is no token at all needs no provider.
    assert_eq!(oidc.identify("a.b.c").await.unwrap(), None);
}

#[tokio::test]
async fn roles_follow_from_the_claim() {
    let signer = Signer::ed();
    let provider = Provider::start(json!({ "keys": [signer.jwk("k")] })).await;
    let map = vec![("ml-admins".to_owned(), Role::Admin), ("staff".to_owned(), Role::Viewer)];
    let (mapped, plain) = (provider.oidc(Some(map)), provider.oidc(None));
    for (groups, by_map, by_name) in [
        (json!(["staff", "ml-admins"]), Some(Role::Admin), None),
        (json!("staff"), Some(Role::Viewer), None),
        (json!(["admin"]), None, Some(Role::Admin)),
        (json!([]), None, None),
        (json!({ "admin": true }), None, None),
        (json!(null), None, None),
    ] {
        let mut claims = provider.claims();
        claims["realm"]["groups"] = groups.clone();
        let token = signer.token("k", &claims);
        assert_eq!(mapped.identify(&token).await.unwrap().unwrap().role, by_map, "{groups}");
        assert_eq!(plain.identify(&token).await.unwrap().unwrap().role, by_name, "{groups}");
    }
}
