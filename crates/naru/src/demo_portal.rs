//! What the demo's people find on their portal page: applications of both ministries, and notices.
//!
//! The two examples of single sign-on lead to programs that this platform does not bring along: where they are is told by
//! `NARU_DEMO_OIDC` and `NARU_DEMO_SAML` (an origin, such as `https://app.localhost:9443`).

use naru_applications::{
    model::{
        ApplicationState, AttributeSource, AudienceKind, DesktopSettings, LinkSettings, LogoutBinding,
        LogoutEndpoint, NameIdFormat, OidcSettings, Protocol, ReleasedAttribute, SamlEndpoint, SamlSettings,
        Words,
    },
    rules::{
        corner::NoticeForm,
        form::{ApplicationForm, AudienceForm, IconForm},
    },
};
use naru_kernel::{MinistryId, Tenant, Zone, access::Label, fleet};
use naru_policies::model::{PolicyForm, Words as RuleName};
use naru_portal::Portal;

/// Where the example applications are, unless the environment tells.
const OIDC_ORIGIN: &str = "http://localhost:9501";
const SAML_ORIGIN: &str = "http://localhost:9502";

/// An application that proves itself by a secret, which is shown once.
pub(crate) struct Connected {
    pub(crate) name: &'static str,
    pub(crate) client_id: String,
    pub(crate) secret: String,
}

fn origin(variable: &str, otherwise: &str) -> String {
    let told = std::env::var(variable).ok().filter(|told| !told.is_empty());
    told.unwrap_or_else(|| otherwise.to_owned())
        .trim_end_matches('/')
        .to_owned()
}

fn words(ko: &str, en: &str) -> Words {
    Words {
        ko: ko.to_owned(),
        en: en.to_owned(),
    }
}

struct Sketch {
    name: (&'static str, &'static str),
    description: (&'static str, &'static str),
    group: (&'static str, &'static str),
    icon: &'static str,
    label: Label,
    audience: AudienceKind,
    protocol: Protocol,
}

impl Sketch {
    fn form(self, place: i64) -> ApplicationForm {
        ApplicationForm {
            name: words(self.name.0, self.name.1),
            description: words(self.description.0, self.description.1),
            group: words(self.group.0, self.group.1),
            place,
            icon: IconForm::Name(self.icon.to_owned()),
            label: self.label,
            audience: AudienceForm {
                kind: self.audience,
                ministries: Vec::new(),
            },
            state: ApplicationState::Active,
            protocol: self.protocol,
        }
    }
}

const WORK: (&str, &str) = ("업무", "Work");
const DESKTOPS: (&str, &str) = ("데스크톱", "Desktops");
const PEOPLE: (&str, &str) = ("소통", "Together");

fn link(url: &str) -> Protocol {
    Protocol::Link(LinkSettings { url: url.to_owned() })
}

fn desktop(zone: Zone) -> Protocol {
    Protocol::Desktop(DesktopSettings {
        zone,
        protocol: fleet::Protocol::Rfb,
    })
}

fn oidc() -> Protocol {
    let origin = origin("NARU_DEMO_OIDC", OIDC_ORIGIN);
    Protocol::Oidc(Box::new(OidcSettings {
        redirect_uris: vec![format!("{origin}/callback")],
        post_logout_redirect_uris: vec![format!("{origin}/")],
        initiate_login_uri: Some(format!("{origin}/")),
        ..OidcSettings::default()
    }))
}

fn saml() -> Protocol {
    let origin = origin("NARU_DEMO_SAML", SAML_ORIGIN);
    let attribute = |name: &str, source| ReleasedAttribute {
        name: name.to_owned(),
        source,
    };
    Protocol::Saml(Box::new(SamlSettings {
        entity_id: format!("{origin}/mellon/metadata"),
        assertion_consumers: vec![SamlEndpoint {
            url: format!("{origin}/mellon/postResponse"),
            index: 0,
        }],
        logout_endpoints: vec![LogoutEndpoint {
            url: format!("{origin}/mellon/logout"),
            binding: LogoutBinding::Redirect,
            response_url: None,
        }],
        signing_certificates: Vec::new(),
        encryption_certificate: None,
        wants_encrypted: false,
        requires_signed_requests: false,
        name_id: NameIdFormat::Persistent,
        attributes: vec![
            attribute("name", AttributeSource::Name),
            attribute("agency", AttributeSource::AgencyCode),
            attribute("unit", AttributeSource::Unit),
        ],
        allows_unasked: true,
        relay_state: None,
    }))
}

/// The platform's own ministry: what all use stands here.
fn of_the_first() -> Vec<Sketch> {
    vec![
        Sketch {
            name: ("전자결재", "Approvals"),
            description: (
                "문서를 올리고 결재합니다. OpenID Connect 예시입니다.",
                "Documents and decisions. An example of OpenID Connect.",
            ),
            group: WORK,
            icon: "stamp",
            label: Label::S,
            audience: AudienceKind::Platform,
            protocol: oidc(),
        },
        Sketch {
            name: ("업무 데스크톱", "Business desktop"),
            description: ("업무망의 데스크톱입니다.", "A desktop in the business network."),
            group: DESKTOPS,
            icon: "monitor",
            label: Label::S,
            audience: AudienceKind::Platform,
            protocol: desktop(Zone::business()),
        },
        Sketch {
            name: ("인터넷 데스크톱", "Internet desktop"),
            description: ("인터넷망의 데스크톱입니다.", "A desktop in the internet network."),
            group: DESKTOPS,
            icon: "globe",
            label: Label::O,
            audience: AudienceKind::Platform,
            protocol: desktop(Zone::internet()),
        },
        Sketch {
            name: ("정부24", "Government24"),
            description: ("국민이 쓰는 민원 서비스입니다.", "Services for citizens."),
            group: PEOPLE,
            icon: "landmark",
            label: Label::O,
            audience: AudienceKind::Platform,
            protocol: link("https://www.gov.kr/"),
        },
    ]
}

fn of_the_second() -> Vec<Sketch> {
    vec![
        Sketch {
            name: ("복지 자료실", "Welfare library"),
            description: (
                "부처 자료를 찾아봅니다. SAML 예시입니다.",
                "The ministry’s papers. An example of SAML.",
            ),
            group: WORK,
            icon: "book",
            label: Label::S,
            audience: AudienceKind::Ministry,
            protocol: saml(),
        },
        Sketch {
            name: ("복지로", "Bokjiro"),
            description: ("복지 서비스 안내입니다.", "Guide to welfare services."),
            group: PEOPLE,
            icon: "people",
            label: Label::O,
            audience: AudienceKind::Ministry,
            protocol: link("https://www.bokjiro.go.kr/"),
        },
    ]
}

/// Rules to look at: the first ministry runs the platform, so its rule holds for all; the second's is switched off.
fn rules_of(place: usize) -> Vec<PolicyForm> {
    let rule = |ko: &str, en: &str, text: &str, on| PolicyForm {
        name: RuleName {
            ko: ko.to_owned(),
            en: en.to_owned(),
        },
        text: text.to_owned(),
        on,
        version: None,
    };
    if place == 0 {
        vec![rule(
            "C 등급은 부처가 관리하는 기기에서만",
            "Label C only on devices the ministry manages",
            "forbid (principal, action == Action::\"open\", resource)\n\
             when { resource.label == \"C\" && context.device != \"managed\" };\n",
            true,
        )]
    } else {
        vec![rule(
            "야간 접속은 당직만",
            "At night only people on duty",
            "forbid (principal, action == Action::\"open\", resource)\n\
             when { context.hour < 7 || context.hour >= 22 || context.weekday >= 6 }\n\
             unless { principal in Group::\"당직\" };\n",
            false,
        )]
    }
}

/// Fills a ministry's corner that is still empty; gives what has a secret.
pub(crate) async fn fill(
    portal: &Portal,
    ministry: MinistryId,
    place: usize,
) -> anyhow::Result<Vec<Connected>> {
    let applications = portal.applications();
    let tenant = Tenant::of(ministry);
    let mut connected = Vec::new();
    if applications.has_any(tenant).await? {
        return Ok(connected);
    }
    let sketches = if place == 0 {
        of_the_first()
    } else {
        of_the_second()
    };
    for (place, sketch) in (0_i64..).zip(sketches) {
        let name = sketch.name.0;
        let (id, secret) = applications.admin_create(tenant, sketch.form(place)).await?;
        connected.extend(secret.map(|made| Connected {
            name,
            client_id: id.to_string(),
            secret: made.secret,
        }));
    }
    let notice = |title, body, urgent| NoticeForm {
        title,
        body,
        urgent,
        shown_from: None,
        shown_until: None,
    };
    let notices = if place == 0 {
        vec![
            notice(
                words("나루에 오신 것을 환영합니다", "Welcome to Naru"),
                words(
                    "한 번의 로그온으로 아래의 모든 것이 열립니다.",
                    "One log-on opens everything below.",
                ),
                false,
            ),
            notice(
                words(
                    "인증서 파일을 남에게 주지 마세요",
                    "Never give your certificate to anyone",
                ),
                words(
                    "인증서만으로는 아무것도 열리지 않지만, 잃어버렸다면 바로 알려 주세요.",
                    "A certificate alone opens nothing, but tell us at once when it is lost.",
                ),
                true,
            ),
        ]
    } else {
        vec![notice(
            words("부처 알림판입니다", "The ministry’s board"),
            words(
                "부처 관리자가 여기에 알림을 붙입니다.",
                "The ministry’s administrators hang notices here.",
            ),
            false,
        )]
    };
    for form in notices {
        applications.admin_hang_notice(tenant, form).await?;
    }
    for form in rules_of(place) {
        portal.policies().admin_create(tenant, &form).await?;
    }
    let colour = if place == 0 { "#1a5fb4" } else { "#26794b" };
    applications.admin_colour(tenant, colour).await?;
    Ok(connected)
}
