//! The clipboard policy on the clipboard channel.

use super::*;

#[test]
fn blocking_copy_out_empties_the_hosts_format_list_and_leaves_pasting_whole() {
    let (mut client, mut server, _) = connected(ONLY_PASTE);
    let mut from_host = |data: Vec<u8>| pump(&mut server, [indication(CLIPBOARD, &data)]).bytes;
    let formats = clip(2, 0, &[13, 0, 0, 0, 0, 0]);
    assert_eq!(from_host(formats), indication(CLIPBOARD, &clip(2, 0, &[])));
    let answer = clip(5, 1, b"s\0e\0c\0");
    assert_eq!(from_host(answer), indication(CLIPBOARD, &clip(5, 2, &[])));
    for passing in [
        clip(1, 0, &[]),
        clip(3, 1, &[]),
        clip(4, 0, &[13, 0, 0, 0]),
        clip(7, 0, &[0; 16]),
    ] {
        assert_eq!(from_host(passing.clone()), indication(CLIPBOARD, &passing));
    }
    assert!(from_host(clip(9, 1, b"file")).is_empty());
    assert!(from_host(clip(77, 1, b"?")).is_empty());
    assert_eq!(server.blocked(), 4);

    let mut from_browser = |data: Vec<u8>| pump(&mut client, [request(CLIPBOARD, &data)]).bytes;
    for passing in [
        clip(2, 0, &[13, 0, 0, 0, 0, 0]),
        clip(5, 1, b"a\0"),
        clip(3, 1, &[]),
    ] {
        assert_eq!(from_browser(passing.clone()), request(CLIPBOARD, &passing));
    }
    assert!(from_browser(clip(4, 0, &[13, 0, 0, 0])).is_empty());
    assert!(from_browser(clip(8, 0, &[0; 24])).is_empty());
    assert_eq!(client.blocked(), 2);
}

#[test]
fn blocking_paste_in_empties_the_browsers_format_list() {
    let (mut client, mut server, _) = connected(ONLY_COPY);
    let formats = clip(2, 0, &[13, 0, 0, 0, 0, 0]);
    assert_eq!(
        pump(&mut client, [request(CLIPBOARD, &formats)]).bytes,
        request(CLIPBOARD, &clip(2, 0, &[]))
    );
    assert_eq!(
        pump(&mut server, [indication(CLIPBOARD, &formats)]).bytes,
        indication(CLIPBOARD, &formats)
    );
}

#[test]
fn a_message_in_many_chunks_is_judged_by_its_first() {
    let (_, mut server, _) = connected(ONLY_PASTE);
    let message = [&[2, 0, 0, 0, 0xd0, 0x07, 0, 0], [0x41; 2_000].as_slice()].concat();
    let (first, rest) = message.split_at(1_600);
    let chunks = [chunk(2_008, 0x11, first), chunk(2_008, 0x12, rest)];
    let stream = chunks.map(|data| indication(CLIPBOARD, &data)).concat();
    let passed = pump(&mut server, cut_at(&stream, &[40, 41, 900, 1_700]));
    assert_eq!(
        (passed.bytes, passed.end),
        (indication(CLIPBOARD, &clip(2, 0, &[])), Ok(()))
    );

    let wrong = |data: &[u8]| {
        pump(&mut connected(ONLY_PASTE).1, [indication(CLIPBOARD, data)])
            .end
            .is_err()
    };
    assert!(
        wrong(&chunk(20, 0x11, &[2, 0])),
        "a first chunk that hides its kind"
    );
    assert!(
        wrong(&chunk(20, 0x12, &[0; 20])),
        "a chunk that goes on with nothing"
    );
    assert!(wrong(&chunk(20, 0x0020_0013, &[0; 20])), "a compressed chunk");
    let (_, mut server, _) = connected(ONLY_PASTE);
    let twice = indication(CLIPBOARD, &chunk(2_008, 0x11, first)).repeat(2);
    assert!(
        pump(&mut server, [twice]).end.is_err(),
        "a message within a message"
    );
}

#[test]
fn files_by_other_channels_pass_only_where_everything_may() {
    for (policy, passes) in [(OPEN, true), (ONLY_PASTE, false), (ONLY_COPY, false)] {
        let (mut client, mut server, _) = connected(policy);
        let drive = chunk(4, 3, b"DRIV");
        assert_eq!(
            !pump(&mut server, [indication(DRIVES, &drive)]).bytes.is_empty(),
            passes
        );
        assert_eq!(
            !pump(&mut client, [request(DRIVES, &drive)]).bytes.is_empty(),
            passes
        );
        let dynamic = indication(DYNAMIC, &chunk(4, 3, b"DVC!"));
        assert_eq!(pump(&mut server, [dynamic.clone()]).bytes, dynamic);
        assert!(
            pump(&mut server, [indication(1_999, b"unknown")])
                .bytes
                .is_empty()
        );
    }
}
