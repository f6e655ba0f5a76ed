//! Opening the doors.

use std::{net::SocketAddr, sync::Arc};

use axum::{Extension, Router, middleware};
use naru_runtime::{
    PortalOrigins, Routes, Tasks, reference_layer,
    tls::{self, Credentials},
};
use tokio::net::TcpListener;
use tower_http::compression::{
    CompressionLayer, Predicate as _,
    predicate::{DefaultPredicate, NotForContentType},
};

use crate::{
    Error, Portal, PortalConfig, certificate_door,
    headers::{self, BrowserHeaders},
    pages,
};

impl Portal {
    /// The public door's router, with all its middleware.
    pub fn public_router(&self, config: &PortalConfig) -> Router {
        let (router, _) = self.routes().finish();
        let gateways = self.identity().config().gateway_url.clone();
        let certificate_host: Arc<str> = config.certificate_host().into();
        // Texts are worth compressing; what is compressed already is not.
        let worth = DefaultPredicate::new().and(NotForContentType::const_new("font/"));
        router
            .fallback(pages::serve)
            .layer(middleware::from_fn_with_state(
                Arc::clone(self.identity()),
                naru_identity::authenticate,
            ))
            .layer(middleware::from_fn(naru_applications::open_to_scripts))
            .layer(Extension(PortalOrigins(Arc::from([config.origin()]))))
            .layer(middleware::from_fn_with_state(
                certificate_host,
                headers::keep_doors_apart,
            ))
            .layer(middleware::from_fn_with_state(
                BrowserHeaders::new(&gateways),
                headers::add,
            ))
            .layer(CompressionLayer::new().gzip(true).compress_when(worth))
            .layer(middleware::from_fn_with_state(
                Arc::clone(&self.entropy),
                reference_layer,
            ))
    }

    /// The fleet door's router.
    pub fn fleet_router(&self) -> Router {
        let (router, _) = Routes::new()
            .merge(naru_desktops::fleet_routes(Arc::clone(self.desktops())))
            .finish();
        router.layer(middleware::from_fn_with_state(
            Arc::clone(&self.entropy),
            reference_layer,
        ))
    }

    /// Opens both doors; they close at shutdown.
    ///
    /// # Errors
    /// When an address cannot be listened on or TLS material is unusable.
    pub async fn open_doors(&self, config: &PortalConfig, tasks: &Tasks) -> Result<(), Error> {
        let public = listen(config.listen).await?;
        let fleet = listen(config.fleet_listen).await?;

        let certificate_host = config.certificate_host();
        let credentials = self.browser_credentials(config)?;
        let plain = tls::server(credentials.clone(), None, &["h2", "http/1.1"])?;
        let trust = self.identity().trust();
        let asking = certificate_door::config(credentials, certificate_door::issuers(&trust))?;
        let choose: tls::ChooseConfig = Arc::new(move |name| {
            Arc::clone(if name == Some(certificate_host.as_str()) {
                &asking
            } else {
                &plain
            })
        });
        tasks.spawn(tls::serve(
            public,
            choose,
            self.public_router(config),
            tasks.shutdown(),
        ));

        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        names.extend(config.fleet_names.iter().cloned());
        let (chain, key) = self.authority.server_certificate(&names)?;
        let credentials = Credentials::from_pem(&chain, &key)?;
        let clients = tls::allow_client(self.authority.certificate_pem())?;
        let server = tls::server(credentials, Some(clients), &["http/1.1"])?;
        let choose: tls::ChooseConfig = Arc::new(move |_| Arc::clone(&server));
        tasks.spawn(tls::serve(fleet, choose, self.fleet_router(), tasks.shutdown()));
        tracing::info!(portal = config.origin(), fleet = %config.fleet_listen, "doors are open");
        Ok(())
    }

    fn browser_credentials(&self, config: &PortalConfig) -> Result<Credentials, Error> {
        let Some(files) = &config.certificate else {
            let names = [config.host.clone(), config.certificate_host()];
            let (chain, key) = self.authority.server_certificate(&names)?;
            return Ok(Credentials::from_pem(&chain, &key)?);
        };
        let read = |path: &std::path::Path| {
            std::fs::read_to_string(path).map_err(|source| Error::Io {
                what: path.display().to_string(),
                source,
            })
        };
        Ok(Credentials::from_pem(&read(&files.chain)?, &read(&files.key)?)?)
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Io {
        what: format!("{address} cannot be listened on"),
        source,
    })
}
