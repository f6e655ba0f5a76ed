//! `logon`: whole certificate log-ons with a durable record: challenge, signed CMS, second factor (TOTP).
//!
//! Requests go through the product's own routes, without a network. The browsers' work (signing with RSA-2048, JSON)
//! runs in this very process and on the same two cores, so it is counted against us; it signs with aws-lc-rs, which is
//! of the same descent as the `BoringSSL` of a browser. What a person's device does before a log-on begins, which is to
//! open the key file and to check the key in it, is done before the clock starts. Each browser is a task of its own, as
//! a connection of the portal's server is. Each answer stands on disk before it is given: `SQLite` in WAL mode,
//! synchronous FULL. Time is moved by hand, 30 seconds a round, because a TOTP code is good once.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::hmac;
use naru_identity::{Identity, IdentityConfig, NewMinistry, NothingOpen, PersonForm};
use naru_kernel::{Clock as _, Seconds, Timestamp};
use naru_pki::demo::{self, DemoIdentity, DemoOptions, DemoPerson, DemoPki};
use naru_runtime::{PortalOrigins, clock::SystemEntropy};
use naru_store::{Db, verify_stream};
use naru_testkit::{Answer, Browser, ManualClock};
use serde_json::{Value, json};

use crate::{out, process::own_cpu};

const ORIGIN: &str = "https://localhost:8443";
/// People who log on, each once a round: so many that nobody reaches the bound on open sessions (16), beyond which each
/// log-on also ends an older one.
const PEOPLE: u16 = 160;
/// Browsers that log on at the same time.
const BROWSERS: usize = 32;
const ROUNDS: usize = 12;
/// Rounds before counting begins.
const WARM_UP_ROUNDS: usize = 3;
const TOTP_STEP: Seconds = Seconds(30);

/// A person with what they carry.
struct Carrier {
    identity: DemoIdentity,
    totp_key: Vec<u8>,
}

/// Runs the bench.
pub(crate) fn bench() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(run())
}

async fn run() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let clock = Arc::new(ManualClock::default());
    let house = Arc::new(House::open(directory.path(), Arc::clone(&clock)).await?);
    out::line(&format!("{PEOPLE} people enrol"));
    let carriers = Arc::new(house.enrol_all().await?);

    let mut latencies = Vec::new();
    let (mut seconds, mut cpu_seconds) = (0.0, 0.0);
    for round in 0..WARM_UP_ROUNDS + ROUNDS {
        clock.advance(TOTP_STEP);
        let began = naru_runtime::clock::instant();
        let cpu_before = own_cpu();
        let taken = everybody_logs_on(&house, &carriers).await?;
        if round >= WARM_UP_ROUNDS {
            seconds += began.elapsed().as_secs_f64();
            cpu_seconds += own_cpu().0 - cpu_before.0;
            latencies.extend(taken);
        }
    }
    let stream = house.ministry.to_string();
    let entries = verify_stream(&house.db, &stream).await?;
    let entries = entries
        .map_err(|broken| anyhow::anyhow!("the record is broken at {}: {}", broken.sequence, broken.why))?;
    let count = f64::from(u32::try_from(latencies.len())?);
    let signing_ms = house.signing_ms(&carriers)?;
    let cpu_ms = cpu_seconds * 1_000.0 / count;
    let (per_s, p50_ms, p99_ms) = (
        count / seconds,
        out::median(&latencies),
        out::percentile(&latencies, 99),
    );
    out::table(&[
        vec![format!("{count} log-ons, {BROWSERS} at once"), String::new()],
        vec!["log-ons per second".to_owned(), format!("{per_s:.0}")],
        vec!["median".to_owned(), format!("{p50_ms:.1} ms")],
        vec!["99 of 100 within".to_owned(), format!("{p99_ms:.1} ms")],
        vec![
            "processor time of each, browser included".to_owned(),
            format!("{cpu_ms:.2} ms"),
        ],
        vec![
            "of that the browser's RSA signature".to_owned(),
            format!("{signing_ms:.2} ms"),
        ],
        vec!["entries in the record, verified".to_owned(), entries.to_string()],
    ]);
    out::line("");
    let line = json!({
        "per_s": out::round(per_s, 0),
        "p50_ms": out::round(p50_ms, 1),
        "p99_ms": out::round(p99_ms, 1),
        "cpu_ms": out::round(cpu_ms, 2),
    });
    out::line(&line.to_string());
    house.db.close().await;
    Ok(())
}

struct House {
    clock: Arc<ManualClock>,
    pki: DemoPki,
    db: Db,
    identity: Arc<Identity>,
    ministry: naru_kernel::MinistryId,
    router: axum::Router,
}

impl House {
    async fn open(directory: &std::path::Path, clock: Arc<ManualClock>) -> Result<Self> {
        let now = clock.now();
        let pki = demo::make(now, &SystemEntropy, &[], DemoOptions::default())?;
        let mut lists = Vec::new();
        for (name, list) in ["root.crl", "people.crl"].into_iter().zip(pki.crls(now)?) {
            let path = directory.join(name);
            fs::write(&path, list)?;
            lists.push(path.display().to_string());
        }
        let config = IdentityConfig {
            origin: ORIGIN.to_owned(),
            profiles: vec![pki.profile()],
            revocation_lists: lists,
            ..IdentityConfig::default()
        };
        let db = Db::open(&format!("sqlite:{}", directory.join("naru.db").display())).await?;
        let identity = Identity::open(
            config,
            db.clone(),
            Arc::<ManualClock>::clone(&clock),
            Arc::new(SystemEntropy),
            Arc::new(NothingOpen),
        )
        .await?;
        identity.refresh_revocations().await?;
        let ministry = identity
            .admin_create_ministry(&NewMinistry {
                name_ko: "행정안전부".to_owned(),
                name_en: "Ministry of the Interior and Safety".to_owned(),
                agency_code: "085".to_owned(),
                is_platform: false,
            })
            .await?;
        let identity = Arc::new(identity);
        let (router, _) = naru_identity::routes(Arc::clone(&identity)).finish();
        let router = router
            .layer(axum::middleware::from_fn_with_state(
                Arc::clone(&identity),
                naru_identity::authenticate,
            ))
            .layer(axum::Extension(PortalOrigins(Arc::from([ORIGIN.to_owned()]))));
        Ok(Self {
            clock,
            pki,
            db,
            identity,
            ministry,
            router,
        })
    }

    fn browser(&self) -> Browser {
        Browser::new(self.router.clone(), ORIGIN)
    }

    async fn enrol_all(&self) -> Result<Vec<Carrier>> {
        let mut carriers = Vec::new();
        for sequence in 1..=PEOPLE {
            let person = DemoPerson {
                ministry: "행정안전부".to_owned(),
                agency_code: "085".to_owned(),
                name: "홍길동".to_owned(),
                sequence,
                password: "bench".to_owned(),
            };
            let identity = self.pki.issue(&person, self.clock.now(), &SystemEntropy)?;
            let form = PersonForm {
                name: person.name.clone(),
                subject_name: person.subject(),
                roles: Vec::new(),
                language: String::new(),
                ..PersonForm::default()
            };
            let id = self.identity.admin_create_person(self.ministry, &form).await?;
            let code = self.identity.admin_activation_code(id).await?.code;
            carriers.push(self.enrol(identity, &code).await?);
        }
        Ok(carriers)
    }

    /// The first log-on: with the activation code, ending with a TOTP key.
    async fn enrol(&self, identity: DemoIdentity, code: &str) -> Result<Carrier> {
        let mut browser = self.browser();
        self.show_certificate(&mut browser, &identity).await?;
        good(
            &browser
                .post("/api/v1/logon/activation", &json!({ "code": code }))
                .await,
        )?;
        let offer = browser.post("/api/v1/logon/enrol/totp/start", &json!({})).await;
        good(&offer)?;
        let secret = offer
            .body
            .get("secret")
            .and_then(Value::as_str)
            .context("a TOTP key")?;
        let totp_key = from_base32(secret).context("a TOTP key in base32")?;
        let code = totp(&totp_key, self.clock.now());
        good(
            &browser
                .post("/api/v1/logon/enrol/totp/finish", &json!({ "code": code }))
                .await,
        )?;
        Ok(Carrier { identity, totp_key })
    }

    async fn show_certificate(&self, browser: &mut Browser, identity: &DemoIdentity) -> Result<()> {
        let answer = browser.post("/api/v1/logon/challenge", &json!({})).await;
        good(&answer)?;
        let challenge = answer
            .body
            .get("challenge")
            .and_then(Value::as_str)
            .context("a challenge")?;
        let content = from_base64(challenge)?;
        let sign = &identity.sign;
        let signed = demo::sign_cms(&content, &sign.certificate, &[], &sign.key, self.clock.now())?;
        good(
            &browser
                .post(
                    "/api/v1/logon/certificate",
                    &json!({ "signed": to_base64(&signed) }),
                )
                .await,
        )
    }

    /// One whole log-on; gives its milliseconds.
    async fn log_on(&self, carrier: &Carrier) -> Result<f64> {
        let began: Instant = naru_runtime::clock::instant();
        let mut browser = self.browser();
        self.show_certificate(&mut browser, &carrier.identity).await?;
        let code = totp(&carrier.totp_key, self.clock.now());
        let answer = browser.post("/api/v1/logon/totp", &json!({ "code": code })).await;
        good(&answer)?;
        ensure!(answer.body.get("next") == Some(&json!("done")), "{}", answer.body);
        Ok(began.elapsed().as_secs_f64() * 1_000.0)
    }

    fn signing_ms(&self, carriers: &[Carrier]) -> Result<f64> {
        let mut each = Vec::new();
        for carrier in carriers {
            let sign = &carrier.identity.sign;
            let began = naru_runtime::clock::instant();
            demo::sign_cms(b"challenge", &sign.certificate, &[], &sign.key, self.clock.now())?;
            each.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        Ok(out::median(&each))
    }
}

/// Each carrier once, a fixed number of browsers at a time.
async fn everybody_logs_on(house: &Arc<House>, carriers: &Arc<Vec<Carrier>>) -> Result<Vec<f64>> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut browsers = tokio::task::JoinSet::new();
    for _ in 0..BROWSERS {
        let (house, carriers, next) = (Arc::clone(house), Arc::clone(carriers), Arc::clone(&next));
        browsers.spawn(async move {
            let mut taken = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(carrier) = carriers.get(index) else {
                    return Ok::<_, anyhow::Error>(taken);
                };
                taken.push(house.log_on(carrier).await?);
            }
        });
    }
    let mut all = Vec::new();
    while let Some(taken) = browsers.join_next().await {
        all.extend(taken??);
    }
    Ok(all)
}

fn good(answer: &Answer) -> Result<()> {
    ensure!(answer.status.is_success(), "{}: {}", answer.status, answer.body);
    Ok(())
}

/// RFC 6238 with SHA-1, six digits, 30 seconds: what authenticator apps do.
fn totp(key: &[u8], now: Timestamp) -> String {
    let step = now.as_seconds().div_euclid(TOTP_STEP.0);
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key),
        &step.to_be_bytes(),
    );
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or(0) & 0x0f);
    let number = bytes
        .get(offset..offset + 4)
        .and_then(|four| four.try_into().ok())
        .map_or(0, |four| u32::from_be_bytes(four) & 0x7fff_ffff);
    format!("{:06}", number % 1_000_000)
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let five = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        held = (held << 5) | u32::from(five);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

fn to_base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn from_base64(text: &str) -> Result<Vec<u8>> {
    use base64::Engine as _;
    Ok(base64::engine::general_purpose::STANDARD.decode(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238 appendix B, the last six digits.
        let key = b"12345678901234567890";
        assert_eq!(totp(key, Timestamp::from_seconds(59)), "287082");
        assert_eq!(totp(key, Timestamp::from_seconds(1_111_111_109)), "081804");
    }

    #[test]
    fn base32_is_read() {
        assert_eq!(
            from_base32("GEZDGNBVGY3TQOJQ").as_deref(),
            Some(b"1234567890".as_slice())
        );
        assert_eq!(from_base32("1"), None);
    }
}
