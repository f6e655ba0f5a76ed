//! The PDUs are made and read again with `ironrdp-pdu`, the code the browser's client is built from.

mod clipboard;

use std::borrow::Cow;

use ironrdp_core::{decode, encode_vec};
use ironrdp_pdu::gcc::{
    ChannelDef, ChannelName, ChannelOptions, ClientCoreData, ClientCoreOptionalData,
    ClientEarlyCapabilityFlags, ClientGccBlocks, ClientNetworkData, ClientSecurityData, ColorDepth,
    ConferenceCreateRequest, ConferenceCreateResponse, ConnectionType, EncryptionLevel, EncryptionMethod,
    HighColorDepth, KeyboardType, RdpVersion, SecureAccessSequence, ServerCoreData, ServerCoreOptionalData,
    ServerGccBlocks, ServerNetworkData, ServerSecurityData, SupportedColorDepths,
};
use ironrdp_pdu::mcs::{
    AttachUserRequest, ChannelJoinRequest, ConnectInitial, ConnectResponse, DomainParameters, ErectDomainPdu,
    SendDataIndication, SendDataRequest,
};
use ironrdp_pdu::rdp::client_info::{
    AddressFamily, ClientInfo, ClientInfoFlags, CompressionType, ExtendedClientInfo,
    ExtendedClientOptionalInfo,
};
use ironrdp_pdu::rdp::headers::{BasicSecurityHeader, BasicSecurityHeaderFlags, ShareControlHeader};
use ironrdp_pdu::x224::{X224, X224Data};
use proptest::prelude::{any, prop, prop_assert_eq, proptest};

use super::*;
use crate::testing::{Passed, cut_at, pump};
use crate::{Error, Scanner as _};

const OPEN: ClipboardPolicy = ClipboardPolicy {
    copy_out: true,
    paste_in: true,
};
const ONLY_PASTE: ClipboardPolicy = ClipboardPolicy {
    copy_out: false,
    paste_in: true,
};
const ONLY_COPY: ClipboardPolicy = ClipboardPolicy {
    copy_out: true,
    paste_in: false,
};

const IO: u16 = 1003;
const CLIPBOARD: u16 = 1004;
const DYNAMIC: u16 = 1005;
const DRIVES: u16 = 1006;
const USER: u16 = 1007;

fn credentials() -> Credentials {
    Credentials {
        account: "naru-hong".to_owned(),
        one_time_password: Zeroizing::new("일회용-Qx7".to_owned()),
    }
}

fn x224(data: Vec<u8>) -> Vec<u8> {
    encode_vec(&X224(X224Data {
        data: Cow::Owned(data),
    }))
    .unwrap()
}

fn connect_initial() -> ConnectInitial {
    let channel = |name: &str| ChannelDef {
        name: ChannelName::from_utf8(name).unwrap(),
        options: ChannelOptions::INITIALIZED,
    };
    let core = ClientCoreData {
        version: RdpVersion::V5_PLUS,
        desktop_width: 1440,
        desktop_height: 900,
        color_depth: ColorDepth::Bpp8,
        sec_access_sequence: SecureAccessSequence::Del,
        keyboard_layout: 0,
        client_build: 0,
        client_name: "web".to_owned(),
        keyboard_type: KeyboardType::IBM_ENHANCED,
        keyboard_subtype: 0,
        keyboard_functional_keys_count: 12,
        ime_file_name: String::new(),
        optional_data: ClientCoreOptionalData {
            post_beta2_color_depth: Some(ColorDepth::Bpp8),
            client_product_id: Some(1),
            serial_number: Some(0),
            high_color_depth: Some(HighColorDepth::Rgb565Bpp16),
            supported_color_depths: Some(SupportedColorDepths::BPP16),
            early_capability_flags: Some(ClientEarlyCapabilityFlags::SUPPORT_ERR_INFO_PDU),
            dig_product_id: Some(String::new()),
            connection_type: Some(ConnectionType::Modem),
            server_selected_protocol: Some(ironrdp_pdu::nego::SecurityProtocol::SSL),
            ..ClientCoreOptionalData::default()
        },
    };
    let blocks = ClientGccBlocks {
        core,
        security: ClientSecurityData {
            encryption_methods: EncryptionMethod::empty(),
            ext_encryption_methods: 0,
        },
        network: Some(ClientNetworkData {
            channels: vec![channel("cliprdr"), channel("drdynvc"), channel("rdpdr")],
        }),
        cluster: None,
        monitor: None,
        message_channel: None,
        multi_transport_channel: None,
        monitor_extended: None,
    };
    ConnectInitial {
        conference_create_request: ConferenceCreateRequest::new(blocks).unwrap(),
        calling_domain_selector: vec![1],
        called_domain_selector: vec![1],
        upward_flag: true,
        target_parameters: DomainParameters::target(),
        min_parameters: DomainParameters::min(),
        max_parameters: DomainParameters::max(),
    }
}

fn connect_response() -> Vec<u8> {
    let blocks = ServerGccBlocks {
        core: ServerCoreData {
            version: RdpVersion::V5_PLUS,
            optional_data: ServerCoreOptionalData {
                client_requested_protocols: Some(ironrdp_pdu::nego::SecurityProtocol::SSL),
                early_capability_flags: None,
            },
        },
        network: ServerNetworkData {
            channel_ids: vec![CLIPBOARD, DYNAMIC, DRIVES],
            io_channel: IO,
        },
        security: ServerSecurityData {
            encryption_method: EncryptionMethod::empty(),
            encryption_level: EncryptionLevel::None,
            server_random: None,
            server_cert: Vec::new(),
        },
        message_channel: None,
        multi_transport_channel: None,
    };
    let response = ConnectResponse {
        conference_create_response: ConferenceCreateResponse::new(1002, blocks).unwrap(),
        called_connect_id: 0,
        domain_parameters: DomainParameters::target(),
    };
    x224(encode_vec(&response).unwrap())
}

fn client_info() -> Vec<u8> {
    let info = ClientInfo {
        credentials: ironrdp_pdu::rdp::client_info::Credentials {
            username: "web".to_owned(),
            password: "x".to_owned(),
            domain: Some("elsewhere".to_owned()),
        },
        password_cookie: None,
        code_page: 0,
        flags: ClientInfoFlags::UNICODE | ClientInfoFlags::MOUSE | ClientInfoFlags::COMPRESSION,
        compression_type: CompressionType::K64,
        alternate_shell: "xterm".to_owned(),
        work_dir: "/".to_owned(),
        extra_info: ExtendedClientInfo {
            address_family: AddressFamily::INET,
            address: "127.0.0.1".to_owned(),
            dir: "C:\\".to_owned(),
            optional_data: ExtendedClientOptionalInfo::default(),
        },
    };
    let pdu = ironrdp_pdu::rdp::ClientInfoPdu {
        security_header: BasicSecurityHeader {
            flags: BasicSecurityHeaderFlags::INFO_PKT,
        },
        client_info: info,
    };
    encode_vec(&pdu).unwrap()
}

fn request(channel_id: u16, user_data: &[u8]) -> Vec<u8> {
    encode_vec(&X224(SendDataRequest {
        initiator_id: USER,
        channel_id,
        user_data: Cow::Borrowed(user_data),
    }))
    .unwrap()
}

fn indication(channel_id: u16, user_data: &[u8]) -> Vec<u8> {
    let data = SendDataIndication {
        initiator_id: USER,
        channel_id,
        user_data: Cow::Borrowed(user_data),
    };
    encode_vec(&X224(data)).unwrap()
}

fn joining() -> Vec<u8> {
    let erect = ErectDomainPdu {
        sub_height: 0,
        sub_interval: 0,
    };
    [
        encode_vec(&X224(erect)).unwrap(),
        encode_vec(&X224(AttachUserRequest)).unwrap(),
        encode_vec(&X224(ChannelJoinRequest {
            initiator_id: USER,
            channel_id: CLIPBOARD,
        }))
        .unwrap(),
    ]
    .concat()
}

/// Both scanners after the handshake, and what passed of the browser's.
fn connected(policy: ClipboardPolicy) -> (ClientScanner, ServerScanner, Vec<u8>) {
    let (mut client, mut server) = pair(policy, credentials());
    let initial = x224(encode_vec(&connect_initial()).unwrap());
    let first = pump(&mut client, [initial]);
    assert_eq!(first.end, Ok(()));
    let answer = pump(&mut server, [connect_response()]);
    assert_eq!(answer.end, Ok(()));
    assert_eq!(answer.bytes, connect_response());
    let rest = pump(&mut client, [joining(), request(IO, &client_info())]);
    assert_eq!(rest.end, Ok(()));
    (client, server, [first.bytes, rest.bytes].concat())
}

fn chunk(total: u32, flags: u32, data: &[u8]) -> Vec<u8> {
    [total.to_le_bytes().as_slice(), &flags.to_le_bytes(), data].concat()
}

/// A clipboard message in one chunk.
fn clip(kind: u16, flags: u16, data: &[u8]) -> Vec<u8> {
    let data_bytes = u32::try_from(data.len()).unwrap();
    let message = [
        kind.to_le_bytes().as_slice(),
        &flags.to_le_bytes(),
        &data_bytes.to_le_bytes(),
        data,
    ]
    .concat();
    chunk(8 + data_bytes, 0x13, &message)
}

#[test]
fn mend_1_writes_the_hosts_credentials_into_the_client_info() {
    let rewritten = rewrite_client_info(&client_info(), &credentials()).unwrap();
    let pdu: ironrdp_pdu::rdp::ClientInfoPdu = decode(&rewritten).unwrap();
    let info = pdu.client_info;
    assert_eq!(info.credentials.username, "naru-hong");
    assert_eq!(info.credentials.password, "일회용-Qx7");
    assert_eq!(info.credentials.domain, None);
    assert_eq!(info.alternate_shell, "");
    assert!(
        info.flags
            .contains(ClientInfoFlags::AUTOLOGON | ClientInfoFlags::MOUSE)
    );
    assert!(!info.flags.contains(ClientInfoFlags::COMPRESSION));
    assert_eq!(info.extra_info.dir, "C:\\");
    for length in 0..22 {
        assert!(rewrite_client_info(&client_info()[..length], &credentials()).is_err());
    }
}

#[test]
fn mend_2_asks_for_korean_keys_true_colour_and_a_client_that_resizes() {
    let original = connect_initial();
    let mended = mend_core_data(&x224(encode_vec(&original).unwrap())).unwrap();
    let data: X224<X224Data<'_>> = decode(&mended).unwrap();
    let initial: ConnectInitial = decode(&data.0.data).unwrap();
    let core = &initial.conference_create_request.gcc_blocks().core;
    assert_eq!((core.keyboard_layout, core.client_build), (0x0412, 18_363));
    let optional = &core.optional_data;
    assert_eq!(optional.high_color_depth, Some(HighColorDepth::Bpp24));
    assert_eq!(optional.connection_type, Some(ConnectionType::Lan));
    let flags = optional.early_capability_flags.unwrap();
    assert!(flags.contains(
        ClientEarlyCapabilityFlags::WANT_32_BPP_SESSION | ClientEarlyCapabilityFlags::SUPPORT_ERR_INFO_PDU
    ));
    let untouched = original.conference_create_request.gcc_blocks();
    assert_eq!((core.desktop_width, core.desktop_height), (1440, 900));
    assert_eq!(
        initial.conference_create_request.gcc_blocks().network,
        untouched.network
    );
    assert_eq!(mend_core_data(&mended).unwrap(), mended);
}

#[test]
fn mend_3_pads_a_bare_deactivate_all() {
    let (_, mut server, _) = connected(OPEN);
    let bare = indication(IO, &[6, 0, 0x16, 0, 0xea, 0x03]);
    let passed = pump(&mut server, [bare]);
    let padded: X224<SendDataIndication<'_>> = decode(&passed.bytes).unwrap();
    assert_eq!(padded.0.user_data.len(), 13);
    let header: ShareControlHeader = decode(&padded.0.user_data).unwrap();
    assert_eq!(header.pdu_source, 0x03ea);
    let full = indication(IO, &padded.0.user_data);
    assert_eq!(pump(&mut server, [full.clone()]).bytes, full);
}

#[test]
fn mend_4_ends_a_message_behind_each_of_the_first_pdus() {
    let (_, mut server, _) = connected(OPEN);
    let fast: Vec<u8> = [0, 0x80, 20].into_iter().chain([7; 17]).collect();
    let stream = fast.repeat(70);
    let passed = pump(&mut server, [stream.clone()]);
    // One of the 64 was the connect response.
    assert_eq!(passed.cuts, (1..64).map(|count| 20 * count).collect::<Vec<_>>());
    assert_eq!(passed.bytes, stream);
}

#[test]
fn the_browsers_handshake_is_mended_and_in_order() {
    let (mut client, _, passed) = connected(OPEN);
    let rewritten = rewrite_client_info(&client_info(), &credentials()).unwrap();
    assert!(passed.ends_with(&rewritten));
    assert!(!String::from_utf8_lossy(&passed).contains("elsewhere"));
    let fast = [0, 6, 1, 2, 3, 4];
    assert_eq!(pump(&mut client, [fast]).bytes, fast);

    let initial = x224(encode_vec(&connect_initial()).unwrap());
    let refused = |stream: &[&[u8]]| pump(&mut pair(OPEN, credentials()).0, stream).end.is_err();
    assert!(refused(&[&joining()]));
    assert!(refused(&[&initial, &initial]));
    assert!(refused(&[&initial, &fast]));
    assert!(
        refused(&[&initial, &joining(), &request(IO, &client_info())]),
        "before the host's answer"
    );
    assert!(refused(&[b"GET / HTTP/1.1\r\n\r\n"]));
    let (mut client, ..) = connected(OPEN);
    assert!(pump(&mut client, [initial]).end.is_err());
}

#[test]
fn a_host_with_its_own_encryption_is_refused() {
    let (mut client, mut server) = pair(OPEN, credentials());
    assert_eq!(
        pump(&mut client, [x224(encode_vec(&connect_initial()).unwrap())]).end,
        Ok(())
    );
    let mut encrypted = connect_response();
    let security = encrypted
        .windows(4)
        .position(|window| window == [0x02, 0x0c, 12, 0])
        .unwrap();
    encrypted[security + 4] = 2;
    assert!(matches!(
        pump(&mut server, [encrypted]).end,
        Err(Error::Handshake(_))
    ));
}

#[test]
fn only_tls_is_negotiated() {
    let request: X224<ironrdp_pdu::nego::ConnectionRequest> = decode(&CONNECTION_REQUEST).unwrap();
    assert_eq!(request.0.protocol, ironrdp_pdu::nego::SecurityProtocol::SSL);
    let confirm = [3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 1, 0, 0, 0];
    assert_eq!(check_connection_confirm(&confirm), Ok(Some(19)));
    for length in 0..19 {
        assert_eq!(check_connection_confirm(&confirm[..length]), Ok(None));
    }
    for (at, value) in [(0, 1), (3, 18), (5, 0xe0), (11, 3), (15, 2), (15, 0)] {
        let mut wrong = confirm;
        wrong[at] = value;
        assert!(check_connection_confirm(&wrong).is_err(), "{at} {value}");
    }
}

#[test]
fn a_clean_path_request_gives_its_ticket_and_nothing_else() {
    use ironrdp_rdcleanpath::RDCleanPathPdu;
    let asked = |auth: &str| {
        let (destination, auth) = ("elsewhere:3389".to_owned(), auth.to_owned());
        RDCleanPathPdu::new_request(vec![3, 0, 0, 11], destination, auth, None)
            .unwrap()
            .to_der()
            .unwrap()
    };
    let request = CleanPathRequest::parse(&asked("a.b")).unwrap();
    assert_eq!(request.ticket, "a.b");
    let long = asked(&"a".repeat(CLEAN_PATH_BYTES_MAX));
    assert_eq!(
        CleanPathRequest::parse(&long),
        Err(Error::TooLong("an RDCleanPath request"))
    );
    let whole = asked("a.b");
    for length in 0..whole.len() {
        assert!(CleanPathRequest::parse(&whole[..length]).is_err());
    }
    let refusal = clean_path_refusal(naru_kernel::fleet::CloseReason::Revoked).unwrap();
    assert!(CleanPathRequest::parse(&refusal).is_err());
    let error = RDCleanPathPdu::from_der(&refusal).unwrap().error.unwrap();
    assert_eq!(error.http_status_code, Some(4002));
    let response = clean_path_response("127.0.0.1:3389", &CONNECTION_REQUEST, [vec![0x30, 0]]).unwrap();
    let read = RDCleanPathPdu::from_der(&response).unwrap();
    assert_eq!(read.server_addr.as_deref(), Some("127.0.0.1:3389"));
    assert_eq!(read.server_cert_chain.map(|chain| chain.len()), Some(1));
}

/// The browser's client is built from these packages; the web application must pin them exactly.
#[test]
fn the_web_application_pins_the_client_that_the_mends_are_for() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/package.json");
    let text = std::fs::read_to_string(manifest).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (package, version) in CLIENT_PACKAGES {
        let pinned = [&json["dependencies"][package], &json["devDependencies"][package]];
        assert!(
            pinned.contains(&&serde_json::Value::from(version)),
            "{package} must be pinned to {version}"
        );
    }
}

fn run_client(stream: &[u8], places: &[usize]) -> Passed {
    let (mut client, _, _) = connected(ONLY_COPY);
    pump(&mut client, cut_at(stream, places))
}

fn run_server(stream: &[u8], places: &[usize]) -> Passed {
    let (_, mut server, _) = connected(ONLY_PASTE);
    pump(&mut server, cut_at(stream, places))
}

proptest! {
    #[test]
    fn cut_anywhere_gives_the_same(
        places in prop::collection::vec(0_usize..6_000, 0..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
    ) {
        let user_data = [
            clip(2, 0, &[13, 0, 0, 0, 0, 0]), clip(4, 0, &[13, 0, 0, 0]), clip(5, 1, &[65; 1_500]), clip(1, 0, &[]),
        ];
        let fast: Vec<u8> = [0, 0x81, 0x2c].into_iter().chain([7; 297]).collect();
        let mut from_host: Vec<_> = user_data.iter().map(|data| indication(CLIPBOARD, data)).collect();
        from_host.extend([indication(IO, &[6, 0, 0x16, 0, 1, 2]), indication(DRIVES, &[0; 20]), fast.clone()]);
        let mut from_browser: Vec<_> = user_data.iter().map(|data| request(CLIPBOARD, data)).collect();
        from_browser.extend([request(IO, &[1; 40]), request(DRIVES, &[0; 20]), fast]);
        let mixed = |all: &[Vec<u8>]| order.iter().flat_map(|index| index.get(all).clone()).collect::<Vec<u8>>();
        let (host, browser) = (mixed(&from_host), mixed(&from_browser));
        prop_assert_eq!(run_server(&host, &places), run_server(&host, &[]));
        prop_assert_eq!(run_client(&browser, &places), run_client(&browser, &[]));
        prop_assert_eq!(run_server(&host, &[]).end, Ok(()));
    }

    #[test]
    fn no_bytes_panic_and_little_is_held_back(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        places in prop::collection::vec(0_usize..400, 0..6),
        at in any::<prop::sample::Index>(),
    ) {
        drop(run_client(&bytes, &places));
        drop(run_server(&bytes, &places));
        drop(CleanPathRequest::parse(&bytes));
        assert!(!matches!(check_connection_confirm(&bytes), Ok(Some(length)) if length > bytes.len()));
        drop(rewrite_client_info(&bytes, &credentials()));
        let altered = |mut whole: Vec<u8>| {
            let start = at.index(whole.len());
            whole.iter_mut().skip(start).zip(bytes.iter().take(3)).for_each(|(old, new)| *old = *new);
            whole
        };
        let initial = altered(x224(encode_vec(&connect_initial()).unwrap()));
        drop(mend_core_data(&initial));
        let (mut client, mut server) = pair(OPEN, credentials());
        drop(pump(&mut client, [initial]));
        drop(pump(&mut server, [altered(connect_response())]));
    }
}
