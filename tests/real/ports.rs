//! Ports for one installation, free and different.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

pub(crate) struct Ports {
    pub(crate) portal: u16,
    pub(crate) fleet: u16,
    pub(crate) gateway: u16,
    pub(crate) host: u16,
    pub(crate) portal_operation: u16,
    pub(crate) gateway_operation: u16,
    pub(crate) host_operation: u16,
    pub(crate) spare_operation: u16,
}

/// Below the ports that the system hands to outgoing connections (`ip_local_port_range`): nobody takes one between
/// our look and the program's listening.
const PORT_FIRST: u16 = 20_000;
const PORTS: u16 = 12_000;
static PORT_NEXT: AtomicU16 = AtomicU16::new(0);

pub(crate) fn free_port() -> u16 {
    // Another run of these tests at the same time begins elsewhere.
    let start = u16::try_from(std::process::id() % u32::from(PORTS)).unwrap();
    for _ in 0..PORTS {
        let step = PORT_NEXT.fetch_add(1, Ordering::SeqCst) % PORTS;
        let port = PORT_FIRST + (start + step) % PORTS;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

impl Ports {
    pub(crate) fn free() -> Self {
        Self {
            portal: free_port(),
            fleet: free_port(),
            gateway: free_port(),
            host: free_port(),
            portal_operation: free_port(),
            gateway_operation: free_port(),
            host_operation: free_port(),
            spare_operation: free_port(),
        }
    }
}
