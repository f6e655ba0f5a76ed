//! Routes that say who may use them.
//!
//! A route cannot be added without an [`Access`]; the guard stands before the handler, and the table of all routes is
//! what the tests walk and what the OpenAPI description is made from.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    handler::Handler,
    http::{Method, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{MethodFilter, on},
};
use naru_kernel::{Kind, Role};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::{Caller, NodeCaller, Peer, PortalOrigins, Problem};

/// The largest body, unless a route says otherwise.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone at all.
    Anyone,
    /// Who passed the certificate, or is signed in.
    FirstFactor,
    /// Anyone signed in.
    SignedIn,
    /// Signed in with this role.
    Role(Role),
    /// A browser that showed a client certificate (its meaning is judged by the handler).
    ClientCertificate,
    /// An enrolled gateway or host.
    Node,
    /// A program that proves itself to the handler: client secret, assertion, certificate or bearer token. A cookie
    /// means nothing here, so there is no foreign origin to fear.
    Machine,
}

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A route's description.
#[derive(Clone, Debug)]
pub struct Route {
    method: Method,
    path: &'static str,
    access: Access,
    summary: &'static str,
    takes: Option<SchemaOf>,
    answers: Option<SchemaOf>,
    body_bytes_max: usize,
    open_to_other_sites: bool,
}

impl Route {
    fn new(method: Method, path: &'static str, access: Access, summary: &'static str) -> Self {
        Self {
            method,
            path,
            access,
            summary,
            takes: None,
            answers: None,
            body_bytes_max: BODY_BYTES_MAX,
            open_to_other_sites: false,
        }
    }

    /// Reads something.
    #[must_use]
    pub fn get(path: &'static str, access: Access, summary: &'static str) -> Self {
        Self::new(Method::GET, path, access, summary)
    }

    /// Does something.
    #[must_use]
    pub fn post(path: &'static str, access: Access, summary: &'static str) -> Self {
        Self::new(Method::POST, path, access, summary)
    }

    /// Puts something in the place of what was there.
    #[must_use]
    pub fn put(path: &'static str, access: Access, summary: &'static str) -> Self {
        Self::new(Method::PUT, path, access, summary)
    }

    /// Changes parts of something (SCIM, RFC 7644 3.5.2).
    #[must_use]
    pub fn patch(path: &'static str, access: Access, summary: &'static str) -> Self {
        Self::new(Method::PATCH, path, access, summary)
    }

    /// Takes something away.
    #[must_use]
    pub fn delete(path: &'static str, access: Access, summary: &'static str) -> Self {
        Self::new(Method::DELETE, path, access, summary)
    }

    /// Describes the body.
    #[must_use]
    pub fn takes<T: JsonSchema>(mut self) -> Self {
        self.takes = Some(|generator| generator.subschema_for::<T>());
        self
    }

    /// Describes the answer.
    #[must_use]
    pub fn answers<T: JsonSchema>(mut self) -> Self {
        self.answers = Some(|generator| generator.subschema_for::<T>());
        self
    }

    /// Allows forms that a page of another site posts here (`response_mode=form_post`, SAML's POST binding). For routes
    /// that read no cookie only.
    #[must_use]
    pub fn open_to_other_sites(mut self) -> Self {
        self.open_to_other_sites = true;
        self
    }

    /// Allows a larger body.
    #[must_use]
    pub fn body_bytes_max(mut self, bytes: usize) -> Self {
        self.body_bytes_max = bytes;
        self
    }
}

/// One line of the table of routes.
#[derive(Clone, Debug)]
pub struct RouteEntry {
    /// HTTP method.
    pub method: Method,
    /// Path with `{parameters}`.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// Whether pages of other sites may lead here; no cookie speaks then.
    pub open_to_other_sites: bool,
    /// What it does, for people.
    pub summary: &'static str,
    /// Schema of the body.
    pub takes: Option<fn(&mut SchemaGenerator) -> Schema>,
    /// Schema of the answer.
    pub answers: Option<fn(&mut SchemaGenerator) -> Schema>,
}

/// Routes with their table.
pub struct Routes<S = ()> {
    router: Router<S>,
    table: Vec<RouteEntry>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self {
            router: Router::new(),
            table: Vec::new(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route behind its guard.
    #[must_use]
    pub fn route<H, T>(mut self, route: Route, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(route.method.clone()).unwrap_or(MethodFilter::GET);
        let guarded = on(filter, handler)
            .layer(DefaultBodyLimit::max(route.body_bytes_max))
            .route_layer(middleware::from_fn_with_state(
                (route.access, route.open_to_other_sites),
                guard,
            ));
        self.router = self.router.route(route.path, guarded);
        self.table.push(RouteEntry {
            method: route.method,
            path: route.path,
            access: route.access,
            open_to_other_sites: route.open_to_other_sites,
            summary: route.summary,
            takes: route.takes,
            answers: route.answers,
        });
        self
    }

    /// Gives the handlers their state.
    #[must_use]
    pub fn with_state(self, state: S) -> Routes {
        Routes {
            router: self.router.with_state(state),
            table: self.table,
        }
    }
}

impl Routes {
    /// Adds all routes of another.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.table.extend(other.table);
        self
    }

    /// The table, and the router.
    pub fn finish(self) -> (Router, Vec<RouteEntry>) {
        (self.router, self.table)
    }
}

async fn guard(
    State((access, open_to_other_sites)): State<(Access, bool)>,
    mut request: Request,
    next: Next,
) -> Response {
    if open_to_other_sites || access == Access::Machine {
        // Whoever sent it, no cookie speaks here.
        request.extensions_mut().remove::<Caller>();
    }
    let refusal = refusal(access, open_to_other_sites, &request);
    match refusal {
        None => next.run(request).await,
        Some(problem) => problem.into_response(),
    }
}

fn refusal(access: Access, open_to_other_sites: bool, request: &Request) -> Option<Problem> {
    let peer = request.extensions().get::<Peer>();
    let known = match request.extensions().get::<Caller>().unwrap_or(&Caller::Anyone) {
        Caller::Anyone => None,
        Caller::FirstFactor(_) => Some(None),
        Caller::SignedIn(actor) => Some(Some(actor)),
    };
    let allowed = match access {
        Access::Machine => return None,
        Access::Anyone => true,
        Access::FirstFactor => known.is_some(),
        Access::SignedIn => matches!(known, Some(Some(_))),
        Access::Role(role) => match known {
            Some(Some(actor)) if !actor.roles.contains(&role) => {
                return Some(Problem::new(
                    Kind::Forbidden,
                    "runtime.role-needed",
                    format!("this needs the role {role}"),
                ));
            }
            Some(Some(_)) => true,
            Some(None) | None => false,
        },
        Access::ClientCertificate => peer.is_some_and(|peer| !peer.certificates.is_empty()),
        Access::Node => {
            return match peer.and_then(NodeCaller::of) {
                Some(_) => None,
                None => Some(NodeCaller::refusal()),
            };
        }
    };
    if !allowed {
        return Some(Problem::new(
            Kind::Unauthenticated,
            "runtime.not-signed-in",
            "sign in first",
        ));
    }
    if request.method() != Method::GET && !open_to_other_sites && !is_from_portal(request) {
        return Some(Problem::new(
            Kind::Forbidden,
            "runtime.foreign-origin",
            "this request did not come from the portal's own pages",
        ));
    }
    None
}

/// Cross-site request forgery: besides SameSite=Strict, a change needs a header no form can send, and our origin.
fn is_from_portal(request: &Request) -> bool {
    let Some(PortalOrigins(origins)) = request.extensions().get::<PortalOrigins>() else {
        // A door without pages (the fleet's) has no origins and no cookies either.
        return true;
    };
    let marked = request
        .headers()
        .get("naru-request")
        .is_some_and(|value| value == "1");
    let origin = request
        .headers()
        .get(header::ORIGIN)
        .and_then(|value| value.to_str().ok());
    marked && origin.is_some_and(|origin| origins.iter().any(|ours| ours == origin))
}
