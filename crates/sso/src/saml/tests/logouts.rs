//! Logout messages, ours and theirs.

use naru_kernel::Seconds;

use super::{Counter, IDP, LOGOUT_HERE, NOW, PROVIDER_KEY, SP, provider};
use crate::saml::{
    Answer, Incoming, LogoutRequest, LogoutResponse, MessageKind, NameId, NameIdFormat,
    OutgoingLogoutRequest, OutgoingLogoutResponse, Refusal, ServiceProvider, Status, logout_status_from_soap,
    redirect_address, soap_logout_request,
};

fn name() -> NameId {
    NameId {
        format: NameIdFormat::Persistent,
        value: "이름".to_owned(),
        for_service_provider: Some(SP.to_owned()),
    }
}

fn request<'a>(name: &'a NameId, indexes: &'a [String]) -> OutgoingLogoutRequest<'a> {
    OutgoingLogoutRequest {
        answer: Answer {
            issuer: SP,
            destination: LOGOUT_HERE,
            in_response_to: None,
            at: NOW,
        },
        name_id: name,
        session_indexes: indexes,
        not_after: NOW + Seconds::minutes(5),
    }
}

fn send(kind: MessageKind, xml: &str, key: &crate::saml::SigningKey) -> Incoming {
    let url = redirect_address("https://x.example/?a=b", kind, xml, Some("r"), key).unwrap();
    let query = url.split_once("?a=b&").unwrap().1;
    Incoming::from_redirect(query).unwrap()
}

#[test]
fn a_request_is_written_as_it_is_read() {
    let name = name();
    let (id, xml) = request(&name, &["_s1".to_owned()]).unsigned(&Counter::new());
    let incoming = send(MessageKind::Request, &xml, &PROVIDER_KEY.key);
    let read = LogoutRequest::read(&incoming).unwrap();
    assert_eq!(read.id(), id);
    assert_eq!(
        (&read.name_id, read.session_indexes.as_slice()),
        (&name, ["_s1".to_owned()].as_slice())
    );
    assert_eq!(read.check(&incoming, &provider(), LOGOUT_HERE, NOW), Ok(()));
    let late = NOW + Seconds::minutes(10);
    assert_eq!(
        read.check(&incoming, &provider(), LOGOUT_HERE, late),
        Err(Refusal::Time)
    );
    assert_eq!(
        read.check(&incoming, &provider(), "https://portal.example/other", NOW),
        Err(Refusal::OtherDestination)
    );
}

#[test]
fn nobody_logs_out_somebody_without_a_signature() {
    let name = name();
    let (_, xml) = request(&name, &["_s1".to_owned()]).unsigned(&Counter::new());
    let unsigned = super::by_post(&xml);
    let read = LogoutRequest::read(&unsigned).unwrap();
    assert_eq!(
        read.check(&unsigned, &provider(), LOGOUT_HERE, NOW),
        Err(Refusal::Unsigned)
    );
    let keyless = ServiceProvider {
        signing_certificates: Vec::new(),
        ..provider()
    };
    assert_eq!(
        read.check(&unsigned, &keyless, LOGOUT_HERE, NOW),
        Err(Refusal::Unsigned)
    );
    let foreign = send(MessageKind::Request, &xml, &IDP.key);
    assert_eq!(
        read.check(&foreign, &provider(), LOGOUT_HERE, NOW),
        Err(Refusal::Signature)
    );
}

#[test]
fn a_comment_inside_a_name_is_refused() {
    let name = name();
    let (_, xml) = request(&name, &["_s1".to_owned()]).unsigned(&Counter::new());
    let cut = xml.replace("이름</saml:NameID>", "이<!-- -->름</saml:NameID>");
    assert_ne!(cut, xml);
    assert_eq!(
        LogoutRequest::read(&super::by_post(&cut)).unwrap_err(),
        Refusal::Comment
    );
}

#[test]
fn answers_say_how_it_went() {
    for failure in [None, Some(Status::PartialLogout)] {
        let answer = OutgoingLogoutResponse {
            answer: Answer {
                issuer: SP,
                destination: LOGOUT_HERE,
                in_response_to: Some("_q"),
                at: NOW,
            },
            failure,
        };
        let xml = answer.unsigned(&Counter::new());
        let incoming = send(MessageKind::Response, &xml, &PROVIDER_KEY.key);
        let read = LogoutResponse::read(&incoming).unwrap();
        assert_eq!(
            (read.in_response_to(), read.success),
            (Some("_q"), failure.is_none())
        );
        assert_eq!(read.check(&incoming, &provider(), LOGOUT_HERE, NOW), Ok(()));
        let soap = soap_logout_request(&xml);
        assert_eq!(
            logout_status_from_soap(soap.as_bytes(), "_q"),
            Ok(failure.is_none())
        );
        assert!(logout_status_from_soap(soap.as_bytes(), "_other").is_err());
    }
}
