//! SCIM filters, paths and patches: none panics, and what was read is read the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use naru_scim::{Filter, PatchPath, patch};
use serde_json::{Value, json};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let user = json!({
        "id": "1", "userName": "CN=a", "active": true, "name": { "formatted": "홍" },
        "emails": [{ "value": "a@b", "type": "work" }],
    });
    if let Ok(filter) = Filter::parse(text) {
        let fits = filter.fits(&user);
        // Brackets that the text could leave out may make what is shown one level too deep or too long to read again.
        if let Ok(again) = Filter::parse(&filter.to_string()) {
            assert_eq!(again.fits(&user), fits);
        }
    }
    drop(PatchPath::parse(text));
    if let Ok(body) = serde_json::from_str::<Value>(text) {
        let mut patched = user.clone();
        if patch(&mut patched, &body, &["id"]).is_ok() {
            assert_eq!(patched["id"], "1");
        }
    }
    let operation = json!({ "Operations": [{ "op": "replace", "path": text, "value": "x" }] });
    let mut patched = user;
    drop(patch(&mut patched, &operation, &["id"]));
});
