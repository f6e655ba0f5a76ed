use proptest::prelude::{any, prop, prop_assert_eq, proptest};

use super::*;
use crate::testing::{Passed, cut_at, pump};
use crate::{Error, Scanner as _};

const OPEN: ClipboardPolicy = ClipboardPolicy {
    copy_out: true,
    paste_in: true,
};
const SHUT: ClipboardPolicy = ClipboardPolicy {
    copy_out: false,
    paste_in: false,
};

/// `SetPixelFormat` as noVNC sends it.
const PIXEL_FORMAT: [u8; 20] = [
    0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0,
];

fn client_greeting() -> Vec<u8> {
    [VERSION.as_slice(), &[1, 1]].concat()
}

fn server_greeting() -> Vec<u8> {
    let mut bytes = [VERSION.as_slice(), &[2, 2, 1], &[0; 4]].concat();
    bytes.extend([0x05, 0xa0, 0x03, 0x84]);
    bytes.extend_from_slice(&PIXEL_FORMAT[4..]);
    bytes.extend([0, 0, 0, 4]);
    bytes.extend(b"desk");
    bytes
}

fn encodings(list: &[i32]) -> Vec<u8> {
    let mut bytes = vec![2, 0];
    bytes.extend(u16::try_from(list.len()).unwrap().to_be_bytes());
    bytes.extend(list.iter().flat_map(|encoding| encoding.to_be_bytes()));
    bytes
}

fn cut_text(kind: u8, length: i32, content: &[u8]) -> Vec<u8> {
    [&[kind, 0, 0, 0], length.to_be_bytes().as_slice(), content].concat()
}

fn extended(kind: u8, flags: u32, content: &[u8]) -> Vec<u8> {
    let length = -4 - i32::try_from(content.len()).unwrap();
    cut_text(kind, length, &[flags.to_be_bytes().as_slice(), content].concat())
}

const CAPS: u32 = 0x1f00_0001;
const REQUEST: u32 = 0x0200_0001;
const PEEK: u32 = 0x0400_0000;
const NOTIFY: u32 = 0x0800_0001;
const PROVIDE: u32 = 0x1000_0001;

/// Everything noVNC says, once.
fn client_messages() -> Vec<Vec<u8>> {
    vec![
        PIXEL_FORMAT.to_vec(),
        encodings(&[
            1, 7, -260, 16, 5, 2, 0, -26, -254, -223, -224, -258, -261, -308, -312, -313, -307,
        ]),
        vec![3, 0, 0, 0, 0, 0, 5, 0, 4, 0],
        vec![150, 1, 0, 0, 0, 0, 5, 0, 4, 0],
        vec![4, 1, 0, 0, 0x01, 0x00, 0xd5, 0x5c],
        vec![255, 0, 0, 1, 0, 0, 0, 0x61, 0, 0, 0, 0x1e],
        vec![5, 1, 0, 9, 0, 9],
        [&[248, 0, 0, 0, 0, 0, 0, 3, 5], b"fence".as_slice()].concat(),
        [&[251, 0, 5, 0, 4, 0, 1, 0], [0_u8; 16].as_slice()].concat(),
    ]
}

fn client_texts() -> Vec<Vec<u8>> {
    vec![
        cut_text(6, 5, b"hello"),
        extended(6, CAPS, &[0; 4]),
        extended(6, REQUEST, &[]),
        extended(6, PEEK, &[]),
        extended(6, NOTIFY, &[]),
        extended(6, PROVIDE, b"deflated"),
    ]
}

fn server_texts() -> Vec<Vec<u8>> {
    client_texts()
        .into_iter()
        .map(|text| [&[3], &text[1..]].concat())
        .collect()
}

fn rectangle(width: u16, height: u16, encoding: i32, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 1, 0, 1];
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend(encoding.to_be_bytes());
    bytes.extend_from_slice(data);
    bytes
}

/// One rectangle of every kind that is let through.
fn rectangles() -> Vec<Vec<u8>> {
    let counted = |count: u32, rest: &[u8]| [count.to_be_bytes().as_slice(), rest].concat();
    let hextiles = [
        [&[1], [7; 16 * 16 * 4].as_slice()].concat(),
        vec![0],
        [&[2 | 4 | 8 | 16], [7; 8].as_slice(), &[2], [7; 12].as_slice()].concat(),
        [&[8, 3], [7; 6].as_slice()].concat(),
    ]
    .concat();
    vec![
        rectangle(3, 2, encoding::RAW, &[9; 24]),
        rectangle(300, 200, encoding::COPY_RECT, &[0, 5, 0, 6]),
        rectangle(30, 20, encoding::RRE, &counted(2, &[7; 4 + 24])),
        rectangle(20, 20, encoding::HEXTILE, &hextiles),
        rectangle(0, 20, encoding::HEXTILE, &[]),
        rectangle(300, 200, encoding::TIGHT, &[0x80, 1, 2, 3]),
        rectangle(300, 200, encoding::TIGHT, &[0x90, 0x05, 1, 2, 3, 4, 5]),
        rectangle(
            100,
            2,
            encoding::TIGHT,
            &[[0x00, 0x81, 0x01].as_slice(), &[3; 129]].concat(),
        ),
        rectangle(2, 1, encoding::TIGHT, &[0x10, 1, 2, 3, 4, 5, 6]),
        rectangle(0, 0, encoding::TIGHT, &[0x10]),
        rectangle(9, 2, encoding::TIGHT, &[0x40, 1, 1, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4]),
        rectangle(
            9,
            2,
            encoding::TIGHT,
            &[[0x50, 1, 2].as_slice(), &[5; 9], &[0x02, 9, 9]].concat(),
        ),
        rectangle(
            90,
            9,
            encoding::TIGHT,
            &[[0x40, 2, 0x80, 0x80, 0x01].as_slice(), &[3; 16_384]].concat(),
        ),
        rectangle(90, 9, encoding::TIGHT_PNG, &[0xa0, 0x02, 1, 2]),
        rectangle(64, 64, encoding::ZRLE, &counted(5, b"zrle!")),
        rectangle(64, 64, encoding::H264, &counted(3, &[0, 0, 0, 1, 7, 7, 7])),
        rectangle(9, 2, encoding::CURSOR, &[1; 9 * 2 * 4 + 4]),
        rectangle(
            3,
            2,
            encoding::VMWARE_CURSOR,
            &[[1, 0].as_slice(), &[1; 24]].concat(),
        ),
        rectangle(
            3,
            2,
            encoding::VMWARE_CURSOR,
            &[[0, 0].as_slice(), &[1; 48]].concat(),
        ),
        rectangle(800, 600, encoding::DESKTOP_SIZE, &[]),
        rectangle(
            800,
            600,
            encoding::EXTENDED_DESKTOP_SIZE,
            &[[2, 0, 0, 0].as_slice(), &[1; 32]].concat(),
        ),
        rectangle(0, 0, encoding::DESKTOP_NAME, &counted(6, "책상".as_bytes())),
        rectangle(0, 0, encoding::QEMU_EXTENDED_KEY, &[]),
        rectangle(0, 0, encoding::QEMU_LED, &[7]),
    ]
}

fn update(rectangles: &[Vec<u8>]) -> Vec<u8> {
    let count = u16::try_from(rectangles.len()).unwrap().to_be_bytes();
    [&[0, 0], count.as_slice(), &rectangles.concat()].concat()
}

fn server_messages() -> Vec<Vec<u8>> {
    let all = rectangles();
    let open_ended = [
        [0, 0, 0xff, 0xff].as_slice(),
        &all[0],
        &rectangle(0, 0, encoding::LAST_RECT, &[]),
    ]
    .concat();
    vec![
        update(&all),
        open_ended,
        update(&[]),
        vec![2],
        vec![150],
        vec![1, 0, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6],
        [&[248, 0, 0, 0, 0x80, 0, 0, 3, 5], b"fence".as_slice()].concat(),
    ]
}

fn run_client(policy: ClipboardPolicy, stream: &[u8], places: &[usize]) -> Passed {
    pump(&mut pair(policy).0, cut_at(stream, places))
}

fn run_server(policy: ClipboardPolicy, stream: &[u8], places: &[usize]) -> Passed {
    pump(&mut pair(policy).1, cut_at(stream, places))
}

#[test]
fn everything_a_browser_says_passes_unchanged() {
    let stream = [
        client_greeting(),
        client_messages().concat(),
        client_texts().concat(),
    ]
    .concat();
    let passed = run_client(OPEN, &stream, &[]);
    assert_eq!(passed.end, Ok(()));
    assert_eq!(passed.bytes, stream);
}

#[test]
fn everything_a_host_says_passes_unchanged() {
    let stream = [
        server_greeting(),
        server_messages().concat(),
        server_texts().concat(),
    ]
    .concat();
    let passed = run_server(OPEN, &stream, &[]);
    assert_eq!(passed.end, Ok(()));
    assert_eq!(passed.bytes, stream);
}

#[test]
fn encodings_that_cannot_be_framed_are_taken_out_of_the_list() {
    let asked = encodings(&[7, 21, 6, 0, -309, -314, -316, encoding::EXTENDED_CLIPBOARD]);
    let passed = run_client(OPEN, &[client_greeting(), asked].concat(), &[]);
    let kept = encodings(&[7, 0, -316, encoding::EXTENDED_CLIPBOARD]);
    assert_eq!(passed.bytes, [client_greeting(), kept].concat());
}

/// Which of plain, caps, request, peek, notify, provide pass.
fn texts_that_pass(policy: ClipboardPolicy) -> (Vec<bool>, Vec<bool>) {
    let passes = |scanner: &mut dyn crate::Scanner, text: &[u8]| {
        let step = scanner.step(text).unwrap();
        match step {
            crate::Step::Forward { bytes, .. } => bytes == text.len(),
            crate::Step::Drop { bytes } => bytes != text.len(),
            crate::Step::More | crate::Step::Replace { .. } => panic!("{step:?}"),
        }
    };
    let (mut client, mut server) = pair(policy);
    assert_eq!(pump(&mut client, [client_greeting().as_slice()]).end, Ok(()));
    assert_eq!(pump(&mut server, [server_greeting().as_slice()]).end, Ok(()));
    let from_client = client_texts()
        .iter()
        .map(|text| passes(&mut client, text))
        .collect();
    let from_server: Vec<bool> = server_texts()
        .iter()
        .map(|text| passes(&mut server, text))
        .collect();
    assert_eq!(
        server.blocked(),
        u64::try_from(from_server.iter().filter(|passes| !**passes).count()).unwrap()
    );
    (from_client, from_server)
}

#[test]
fn blocking_one_direction_of_the_clipboard_leaves_the_other_whole() {
    let give = |may: bool| vec![may, true, !may, !may, may, may];
    assert_eq!(texts_that_pass(OPEN), (vec![true; 6], vec![true; 6]));
    let only_paste = ClipboardPolicy {
        copy_out: false,
        paste_in: true,
    };
    assert_eq!(texts_that_pass(only_paste), (give(true), give(false)));
    let only_copy = ClipboardPolicy {
        copy_out: true,
        paste_in: false,
    };
    assert_eq!(texts_that_pass(only_copy), (give(false), give(true)));
    let none = vec![false, true, false, false, false, false];
    assert_eq!(texts_that_pass(SHUT), (none.clone(), none));
}

#[test]
fn a_text_beyond_its_bound_is_dropped_and_the_desktop_goes_on() {
    let long = usize::try_from(TEXT_BYTES_MAX).unwrap() + 1;
    let text = cut_text(3, i32::try_from(long).unwrap(), &vec![b'a'; long]);
    let passed = run_server(OPEN, &[server_greeting(), text, vec![2]].concat(), &[100, 5_000]);
    assert_eq!(passed.bytes, [server_greeting(), vec![2]].concat());
    let fits = cut_text(3, i32::try_from(long - 1).unwrap(), &vec![b'a'; long - 1]);
    let stream = [server_greeting(), fits].concat();
    assert_eq!(run_server(OPEN, &stream, &[]).bytes, stream);
}

#[test]
fn what_a_browser_may_not_send_is_refused() {
    let wrong = |bytes: &[u8]| {
        let stream = [
            client_greeting(),
            PIXEL_FORMAT.to_vec(),
            bytes.to_vec(),
            vec![0; 80],
        ]
        .concat();
        run_client(OPEN, &stream, &[]).end.unwrap_err()
    };
    assert_eq!(wrong(&[7]), Error::UnknownMessage(7));
    assert_eq!(wrong(&[255, 1, 0, 0]), Error::UnknownMessage(255));
    assert_eq!(wrong(&[2, 0, 1, 1]), Error::TooLong("the list of encodings"));
    assert_eq!(wrong(&[248, 0, 0, 0, 0, 0, 0, 0, 65]), Error::TooLong("a fence"));
    assert_eq!(
        wrong(&[251, 0, 5, 0, 4, 0, 17, 0]),
        Error::TooLong("the list of screens")
    );
    assert_eq!(
        wrong(&[5, 0x81, 0, 0, 0, 0, 0]),
        Error::Malformed("a pointer event")
    );
    assert_eq!(
        wrong(&[6, 0, 0, 0, 0x7f, 0, 0, 0]),
        Error::TooLong("a clipboard text")
    );
    assert_eq!(
        wrong(&[6, 0, 0, 0, 0x80, 0, 0, 0]),
        Error::TooLong("a clipboard text")
    );
    assert_eq!(
        wrong(&cut_text(6, -3, &[0; 3])),
        Error::Malformed("an extended clipboard message")
    );
    assert_eq!(
        wrong(&extended(6, REQUEST, &[0])),
        Error::Malformed("an extended clipboard message")
    );
    assert_eq!(
        wrong(&extended(6, CAPS, &[0; 5])),
        Error::Malformed("an extended clipboard message")
    );
    assert_eq!(
        wrong(&extended(6, 0x0600_0001, &[])),
        Error::Malformed("an extended clipboard action")
    );
    let mut sixteen_bits = PIXEL_FORMAT;
    sixteen_bits[4] = 16;
    assert_eq!(wrong(&sixteen_bits), Error::PixelFormat);
    let update_request = [3, 0, 0, 0, 0, 0, 5, 0, 4, 0];
    assert_eq!(
        wrong(&[update_request.as_slice(), &PIXEL_FORMAT].concat()),
        Error::PixelFormat
    );
    let too_early = [client_greeting(), update_request.to_vec()].concat();
    assert_eq!(run_client(OPEN, &too_early, &[]).end, Err(Error::PixelFormat));
    assert!(matches!(
        run_client(OPEN, b"RFB 003.003\n", &[]).end,
        Err(Error::Handshake(_))
    ));
    assert!(matches!(
        run_client(OPEN, b"GET / HTTP/1.1", &[]).end,
        Err(Error::Handshake(_))
    ));
    assert!(matches!(
        run_client(OPEN, b"RFB 003.008\n\x02", &[]).end,
        Err(Error::Handshake(_))
    ));
}

#[test]
fn what_does_not_belong_to_a_person_never_reaches_the_host() {
    let xvp = vec![250, 0, 1, 2];
    let too_wide = [&[251, 0, 0xff, 0xff, 4, 0, 1, 0], [0_u8; 16].as_slice()].concat();
    let passed = run_client(OPEN, &[client_greeting(), xvp, too_wide].concat(), &[]);
    assert_eq!((passed.bytes, passed.end), (client_greeting(), Ok(())));
}

#[test]
fn the_longer_pointer_event_needs_both_sides_word() {
    let (mut client, mut server) = pair(OPEN);
    let asked = [client_greeting(), encodings(&[encoding::EXTENDED_MOUSE_BUTTONS])].concat();
    assert_eq!(pump(&mut client, [asked.as_slice()]).end, Ok(()));
    let confirmed = update(&[rectangle(0, 0, encoding::EXTENDED_MOUSE_BUTTONS, &[])]);
    assert_eq!(
        pump(&mut server, [server_greeting().as_slice(), &confirmed]).end,
        Ok(())
    );
    let events = [5, 0x80, 0, 1, 0, 1, 2, 5, 1, 0, 1, 0, 1];
    assert_eq!(pump(&mut client, [events.as_slice()]).bytes, events);
    assert_eq!(pump(&mut client, [encodings(&[0]).as_slice()]).end, Ok(()));
    assert_eq!(
        pump(&mut client, [events.as_slice()]).end,
        Err(Error::Malformed("a pointer event"))
    );
}

#[test]
fn what_a_host_may_not_send_is_refused() {
    let wrong = |bytes: &[u8]| {
        run_server(
            OPEN,
            &[server_greeting(), bytes.to_vec(), vec![0; 80]].concat(),
            &[],
        )
        .end
        .unwrap_err()
    };
    assert_eq!(wrong(&[250, 0, 1, 1]), Error::UnknownMessage(250));
    assert_eq!(
        wrong(&update(&[rectangle(1, 1, 21, &[])])),
        Error::UnknownEncoding(21)
    );
    assert_eq!(
        wrong(&update(&[rectangle(8, 8, 7, &[0xf0])])),
        Error::Malformed("a Tight control byte")
    );
    assert_eq!(
        wrong(&update(&[rectangle(8, 8, 7, &[0xa0])])),
        Error::Malformed("a Tight control byte")
    );
    assert_eq!(
        wrong(&update(&[rectangle(8, 8, -260, &[0x00])])),
        Error::Malformed("a Tight control byte")
    );
    assert_eq!(
        wrong(&update(&[rectangle(8, 8, 7, &[0x40, 3])])),
        Error::Malformed("a Tight filter")
    );
    assert_eq!(
        wrong(&update(&[rectangle(8, 8, 5, &[32])])),
        Error::Malformed("a hextile")
    );
    assert_eq!(
        wrong(&update(&[rectangle(8, 8, encoding::VMWARE_CURSOR, &[2])])),
        Error::Malformed("a cursor")
    );
    assert_eq!(
        wrong(&update(&[rectangle(9_000, 8, encoding::CURSOR, &[])])),
        Error::TooLong("a cursor")
    );
    let name = rectangle(0, 0, encoding::DESKTOP_NAME, &[0, 1, 0, 0]);
    assert_eq!(wrong(&update(&[name])), Error::TooLong("a rectangle"));
    let only_passwords = [VERSION.as_slice(), &[1, 2]].concat();
    assert!(matches!(
        run_server(OPEN, &only_passwords, &[]).end,
        Err(Error::Handshake(_))
    ));
    let refused = [VERSION.as_slice(), &[0], &[0, 0, 0, 2], b"no"].concat();
    assert_eq!(run_server(OPEN, &refused, &[]).bytes, refused);
    assert!(matches!(
        run_server(OPEN, &[refused, vec![0]].concat(), &[]).end,
        Err(Error::Handshake(_))
    ));
}

fn policies() -> impl proptest::strategy::Strategy<Value = ClipboardPolicy> {
    use proptest::strategy::Strategy as _;
    any::<(bool, bool)>().prop_map(|(copy_out, paste_in)| ClipboardPolicy { copy_out, paste_in })
}

proptest! {
    #[test]
    fn a_browsers_stream_cut_anywhere_gives_the_same(
        policy in policies(),
        places in prop::collection::vec(0_usize..4_000, 0..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
    ) {
        let messages = [client_messages(), client_texts(), vec![vec![250, 0, 1, 2], encodings(&[21, 7])]].concat();
        let mixed: Vec<u8> = order.iter().flat_map(|index| index.get(&messages).clone()).collect();
        let stream = [client_greeting(), mixed].concat();
        prop_assert_eq!(run_client(policy, &stream, &places), run_client(policy, &stream, &[]));
    }

    #[test]
    fn a_hosts_stream_cut_anywhere_gives_the_same(
        policy in policies(),
        places in prop::collection::vec(0_usize..40_000, 0..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
    ) {
        let messages = [server_messages(), server_texts()].concat();
        let mixed: Vec<u8> = order.iter().flat_map(|index| index.get(&messages).clone()).collect();
        let stream = [server_greeting(), mixed].concat();
        let whole = run_server(policy, &stream, &[]);
        prop_assert_eq!(&whole.end, &Ok(()));
        prop_assert_eq!(run_server(policy, &stream, &places), whole);
    }

    #[test]
    fn no_bytes_panic_and_little_is_held_back(
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        places in prop::collection::vec(0_usize..2_000, 0..12),
    ) {
        for greeted in [Vec::new(), client_greeting()] {
            let stream = [greeted, bytes.clone()].concat();
            let whole = run_client(OPEN, &stream, &[]);
            let cut = run_client(OPEN, &stream, &places);
            prop_assert_eq!((whole.bytes, whole.end), (cut.bytes, cut.end));
        }
        for greeted in [Vec::new(), server_greeting(), [server_greeting(), vec![0, 0, 0, 9]].concat()] {
            let stream = [greeted, bytes.clone()].concat();
            let whole = run_server(SHUT, &stream, &[]);
            let cut = run_server(SHUT, &stream, &places);
            prop_assert_eq!((whole.bytes, whole.end), (cut.bytes, cut.end));
        }
    }
}
