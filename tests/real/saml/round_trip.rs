//! A browser between two sites: each has its own cookies, and what one sends with the browser arrives at the other.

use std::fs;

use http::{Method, StatusCode, header};
use naru_kernel::Seconds;
use naru_testkit::{Answer, Browser, answer_totp, apache::Apache, enrol_totp};
use serde_json::{Value, json};

use crate::{
    process::Running,
    stage::{Person, Stage, now},
    wire,
};

/// The portal, a person who is its administrator too, and a site with an application.
pub(super) struct Town {
    pub(super) stage: Stage,
    pub(super) portal: Running,
    person: Person,
    secret: String,
    /// The person's browser, on the portal's pages.
    pub(super) at_home: Browser,
    /// The same browser, on the application's site.
    pub(super) at_site: Browser,
    site_origin: String,
}

/// A form that a page posts.
#[derive(Debug)]
pub(super) struct Form {
    action: String,
    pub(super) fields: Vec<(String, String)>,
}

impl Form {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The form of a page, as a browser reads it.
    fn read(answer: &Answer) -> Self {
        let page = String::from_utf8(answer.bytes.clone()).unwrap();
        assert!(page.contains("<form"), "{}: {page}", answer.status);
        let value = |text: &str, name: &str| {
            let (_, rest) = text
                .split_once(&format!("{name}=\""))
                .unwrap_or_else(|| panic!("{name} in {text}"));
            let (value, _) = rest.split_once('"').unwrap();
            value
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&")
        };
        let fields = page
            .split("<input")
            .skip(1)
            .map(|input| {
                let input = input.split_once('>').unwrap().0;
                (value(input, "name"), value(input, "value"))
            })
            .collect();
        Self {
            action: value(&page, "action"),
            fields,
        }
    }
}

fn encoded(fields: &[(String, String)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

/// Where an answer sends the browser.
pub(super) fn location(answer: &Answer) -> String {
    let said = String::from_utf8_lossy(&answer.bytes);
    assert!(answer.status.is_redirection(), "{}: {said}", answer.status);
    answer.headers[header::LOCATION].to_str().unwrap().to_owned()
}

impl Town {
    /// Starts the portal, which trusts the site's certificate when it tells it of a logout.
    pub(super) async fn open(stage: Stage, apache: &Apache) -> Self {
        let roots = stage.path("site.crt");
        fs::write(&roots, apache.site().certificate_pem()).unwrap();
        let configuration = stage.path("naru.toml");
        let text = fs::read_to_string(&configuration).unwrap();
        let trusted = format!("[portal]\ntrusted_roots = [{:?}]\n", roots.display().to_string());
        fs::write(&configuration, text.replace("[portal]\n", &trusted)).unwrap();
        stage.ministry();
        let person = stage.person(&["worker", "ministry_admin"]);
        let portal = stage.portal().await;
        let mut at_home = stage.browser();
        stage.show(&mut at_home, &person).await;
        let secret = enrol_totp(&mut at_home, &stage.activation_code(&person), now()).await;
        let origin = apache.site().origin();
        let port = origin.rsplit_once(':').unwrap().1.parse().unwrap();
        let door = wire::Door::new(port, "localhost", apache.site().certificate_pem());
        let mut at_site = Browser::new(door.router(), &origin);
        at_site.set_marked(false);
        at_site.set_origin(None);
        Self {
            stage,
            portal,
            person,
            secret,
            at_home,
            at_site,
            site_origin: origin,
        }
    }

    /// The person logs on again, with the digits of the next half minute: this one's are used.
    pub(super) async fn log_on_again(&mut self) {
        self.at_home = self.stage.browser();
        self.stage.show(&mut self.at_home, &self.person).await;
        let answer = answer_totp(&mut self.at_home, &self.secret, now() + Seconds(30)).await;
        assert_eq!(answer.body["next"], "done", "{:?}", answer.body);
    }

    /// Registers the application whose metadata the site publishes; gives its identifier.
    pub(super) async fn register(&mut self, metadata: &str, change: impl FnOnce(&mut Value)) -> String {
        let read = self
            .at_home
            .post("/api/v1/applications/read-metadata", &json!({ "xml": metadata }))
            .await;
        assert_eq!(read.status, StatusCode::OK, "{:?}", read.body);
        let mut protocol = read.body;
        protocol["kind"] = json!("saml");
        change(&mut protocol);
        let form = form(&protocol);
        let made = self.at_home.post("/api/v1/applications", &form).await;
        assert!(made.status.is_success(), "{:?}", made.body);
        let id = ["application", "id"]
            .iter()
            .find_map(|name| made.body[name].as_str());
        id.unwrap_or_else(|| panic!("{:?}", made.body)).to_owned()
    }

    /// Changes what was registered.
    pub(super) async fn change(&mut self, id: &str, protocol: &Value) {
        let path = format!("/api/v1/applications/{id}");
        let changed = self.at_home.call(Method::PUT, &path, Some(&form(protocol))).await;
        assert!(changed.status.is_success(), "{:?}", changed.body);
    }

    /// The path of an address of one of the two sites.
    fn path(&self, url: &str) -> (bool, String) {
        for (home, origin) in [(true, self.stage.origin()), (false, self.site_origin.clone())] {
            if let Some(path) = url.strip_prefix(&origin) {
                let path = path.split('#').next().unwrap_or_default();
                return (
                    home,
                    if path.is_empty() {
                        "/".to_owned()
                    } else {
                        path.to_owned()
                    },
                );
            }
        }
        (true, url.to_owned())
    }

    /// Follows redirects on the application's own site to its end, or to where it leaves for the portal.
    pub(super) async fn at_site(&mut self, path: &str) -> Result<Answer, String> {
        let mut answer = self.at_site.get(path).await;
        for _ in 0..10 {
            if !answer.status.is_redirection() {
                return Ok(answer);
            }
            let url = location(&answer);
            match self.path(&url) {
                (true, _) if url.starts_with("https://") => return Err(url),
                (_, path) => answer = self.at_site.get(&path).await,
            }
        }
        panic!("it goes around in circles");
    }

    /// Takes a request of the site to the portal; gives what the portal's page is told to do next.
    pub(super) async fn begin(&mut self, url: &str) -> (String, Value) {
        let (home, path) = self.path(url);
        assert!(home, "{url}");
        // From another site, the browser sends no cookie that is `SameSite=Strict`.
        let mut stranger = self.stage.browser();
        let page = location(&stranger.get(&path).await);
        let handle = page
            .strip_prefix("/#/sso/")
            .unwrap_or_else(|| panic!("{page} is not the portal's page"))
            .to_owned();
        let step = self.step(&handle).await;
        (handle, step)
    }

    pub(super) async fn step(&mut self, handle: &str) -> Value {
        let step = self
            .at_home
            .post(&format!("/api/v1/sso/{handle}"), &json!({}))
            .await;
        assert_eq!(step.status, StatusCode::OK, "{:?}", step.body);
        step.body
    }

    /// The form that answers the application.
    pub(super) async fn answer(&mut self, step: &Value) -> Form {
        assert_eq!(step["next"], "post", "{step}");
        let url = step["url"].as_str().unwrap().to_owned();
        let form = Form::read(&self.at_home.get(&url).await);
        let again = self.at_home.get(&url).await;
        assert!(!again.status.is_success(), "an answer is good once");
        form
    }

    /// Posts it, as the browser does by itself.
    pub(super) async fn post(&mut self, form: &Form) -> Answer {
        let (home, path) = self.path(&form.action);
        assert!(!home, "{}", form.action);
        let kind = "application/x-www-form-urlencoded";
        let body = Some(encoded(&form.fields).into_bytes());
        self.at_site.send(Method::POST, &path, kind, body).await
    }

    /// Opens a page of the application, with the sign-on in between; gives the page.
    pub(super) async fn sign_on(&mut self, page: &str) -> Answer {
        let url = match self.at_site(page).await {
            Err(url) => url,
            Ok(answer) => panic!("{page} asked for no sign-on: {}", answer.status),
        };
        let (_, step) = self.begin(&url).await;
        let form = self.answer(&step).await;
        let next = location(&self.post(&form).await);
        let (home, path) = self.path(&next);
        assert!(!home, "{next}");
        self.at_site(&path)
            .await
            .unwrap_or_else(|url| panic!("asked again: {url}"))
    }

    /// Whether the application lets the browser in without asking.
    pub(super) async fn is_in(&mut self, page: &str) -> bool {
        self.at_site(page)
            .await
            .is_ok_and(|answer| answer.status.is_success())
    }

    /// Follows a logout from site to site until it ends; gives the addresses it passed.
    pub(super) async fn follow(&mut self, first: &str) -> Vec<String> {
        let mut passed = vec![first.to_owned()];
        for _ in 0..12 {
            let url = passed.last().unwrap().clone();
            if let Some(handle) = url.strip_prefix("/#/sso/") {
                let step = self.step(handle).await;
                if step["next"] == "log_out" {
                    assert_eq!(step["ask"], false, "{step}");
                    let off = self.at_home.post("/api/v1/logoff", &json!({})).await;
                    assert!(off.status.is_success(), "{:?}", off.body);
                }
                passed.push(step["url"].as_str().unwrap().to_owned());
                continue;
            }
            let (home, path) = self.path(&url);
            let answer = if home {
                self.at_home.get(&path).await
            } else {
                self.at_site.get(&path).await
            };
            if !answer.status.is_redirection() {
                return passed;
            }
            passed.push(location(&answer));
        }
        panic!("it does not end: {passed:#?}");
    }
}

fn form(protocol: &Value) -> Value {
    json!({
        "name": { "ko": "문서 관리", "en": "Documents" },
        "label": "S",
        "audience": { "kind": "ministry" },
        "state": "active",
        "protocol": protocol,
    })
}
