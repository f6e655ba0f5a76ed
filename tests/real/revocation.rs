//! Who is revoked is out of an open desktop within five seconds.

use naru_kernel::fleet::CloseReason;
use serde_json::json;

use crate::{
    fleet::{Fleet, can_run},
    process::figure,
    seat::{Seat, goodbye},
};

/// What the platform promises.
const SECONDS_MAX: f64 = 5.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_closes_an_open_desktop() {
    if !can_run("a_revocation_closes_an_open_desktop") {
        return;
    }
    let mut fleet = Fleet::start().await;
    let admin = fleet.stage.person(&["ministry_admin"]);
    let mut admin = fleet.stage.sign_in(&admin).await;
    for way in [
        "by another process",
        "by the administrator's page",
        "of the certificate",
    ] {
        let person = fleet.stage.person(&["worker"]);
        let mut browser = fleet.stage.sign_in(&person).await;
        let opened = fleet.open(&mut browser).await;
        let mut seat = Seat::with_desktop(&fleet.stage, &opened.ticket).await;
        // Each is timed from the moment it begins to be asked for.
        let body = json!({});
        let path = format!("/api/v1/people/{}", opened.claims.person);
        let (heard, seconds) = match way {
            "by another process" => {
                let revoke = async {
                    fleet
                        .stage
                        .must(&["admin", "revoke", "--subject", &person.subject])
                };
                let (_, ended) = tokio::join!(revoke, seat.end_timed());
                ended
            }
            "by the administrator's page" => {
                let path = format!("{path}/revoke");
                let (answer, ended) = tokio::join!(admin.post(&path, &body), seat.end_timed());
                assert!(answer.status.is_success(), "{:?}", answer.body);
                ended
            }
            _ => {
                let detail = admin.get(&path).await.body;
                let certificate = detail["certificates"][0]["id"].as_str().unwrap().to_owned();
                let path = format!("/api/v1/certificates/{certificate}/revoke");
                let (answer, ended) = tokio::join!(admin.post(&path, &body), seat.end_timed());
                assert!(answer.status.is_success(), "{:?}", answer.body);
                ended
            }
        };
        figure(&format!("revoked {way}: the desktop closed after {seconds:.2} s"));
        assert_eq!(heard, goodbye(CloseReason::Revoked), "{way}");
        assert!(seconds < SECONDS_MAX, "{way}: {seconds} s");
        assert_eq!(browser.get("/api/v1/me").await.status, 401, "{way}");
        let mut late = Seat::take(&fleet.stage, &opened.ticket).await;
        assert_eq!(late.end().await, goodbye(CloseReason::TicketRefused), "{way}");
    }
}
