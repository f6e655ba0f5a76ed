//! The tree against the published vectors and against the definition, for every size up to 70.

use proptest::prelude::*;

use super::*;

/// The leaves and roots of Certificate Transparency's own reference tests.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

/// MTH of RFC 6962, word for word.
fn definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [only] => *only,
        more => {
            let middle = usize::try_from(split(u64::try_from(more.len()).unwrap())).unwrap();
            let (left, right) = more.split_at(middle);
            node_hash(&definition(left), &definition(right))
        }
    }
}

fn resolve(leaves: &[Hash], spans: &[Span]) -> Vec<Hash> {
    let at = |n| usize::try_from(n).unwrap();
    spans
        .iter()
        .map(|span| definition(&leaves[at(span.from)..at(span.to)]))
        .collect()
}

#[test]
fn the_published_roots_are_ours() {
    let mut tree = Frontier::default();
    assert_eq!(
        hex::encode(tree.root()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    for (leaf, root) in LEAVES.into_iter().zip(ROOTS) {
        tree.push(leaf_hash(&hex::decode(leaf).unwrap()), |_, _, _| {});
        assert_eq!(hex::encode(tree.root()), root);
    }
}

#[test]
fn a_frontier_is_the_definition_and_survives_storage() {
    let all = leaves(600);
    let mut tree = Frontier::default();
    let mut stored = Vec::new();
    for (n, leaf) in all.iter().enumerate() {
        tree.push(*leaf, |level, place, hash| stored.push((level, place, *hash)));
        assert_eq!(tree.root(), definition(&all[..=n]));
        let read = Frontier::read(tree.size(), &tree.bytes()).unwrap();
        assert_eq!(read, tree);
    }
    for (level, place, hash) in stored {
        let (from, length) = (usize::try_from(place << level).unwrap(), 1_usize << level);
        assert_eq!(hash, definition(&all[from..from + length]), "{level} {place}");
    }
    assert_eq!(Frontier::read(3, &[0; 32]), None);
    assert_eq!(Frontier::read(1, &[0; 33]), None);
}

#[test]
fn trees_built_in_parts_are_the_same() {
    let all = leaves(300);
    let mut whole = Frontier::default();
    for part in all.chunks(64) {
        let mut own = Frontier::default();
        for leaf in part {
            own.push(*leaf, |_, _, _| {});
        }
        whole.append(&own);
    }
    assert_eq!((whole.size(), whole.root()), (300, definition(&all)));
}

#[test]
fn every_inclusion_proof_of_every_size_holds_and_no_other() {
    let all = leaves(70);
    for size in 1..=70_u64 {
        let tree = &all[..usize::try_from(size).unwrap()];
        let root = definition(tree);
        assert_eq!(inclusion(size, size), None);
        for index in 0..size {
            let leaf = &all[usize::try_from(index).unwrap()];
            let proof = resolve(tree, &inclusion(index, size).unwrap());
            assert!(includes(&root, size, index, leaf, &proof), "{index} of {size}");
            assert!(!includes(&root, size, index, &root, &proof) || size == 1);
            assert!(!includes(&root, size, size, leaf, &proof));
            assert!(index + 1 == size || !includes(&root, size, index + 1, leaf, &proof));
            for step in 0..proof.len() {
                let mut spoiled = proof.clone();
                spoiled[step][7] ^= 1;
                assert!(!includes(&root, size, index, leaf, &spoiled));
                let mut shorter = proof.clone();
                shorter.remove(step);
                assert!(!includes(&root, size, index, leaf, &shorter));
            }
            let longer: Vec<Hash> = proof.iter().copied().chain([root]).collect();
            assert!(!includes(&root, size, index, leaf, &longer));
        }
    }
}

#[test]
fn every_consistency_proof_holds_and_no_other() {
    let all = leaves(70);
    let root_of = |size: u64| definition(&all[..usize::try_from(size).unwrap()]);
    for new in 1..=70_u64 {
        assert!(extends(0, &root_of(0), new, &root_of(new), &[]));
        assert!(!extends(0, &root_of(1), new, &root_of(new), &[]));
        for old in 1..=new {
            let proof = resolve(&all, &consistency(old, new).unwrap());
            let (older, newer) = (root_of(old), root_of(new));
            assert!(extends(old, &older, new, &newer, &proof), "{old} to {new}");
            assert!(!extends(old, &newer, new, &newer, &proof) || old == new);
            assert!(!extends(old, &older, new, &older, &proof) || old == new);
            for step in 0..proof.len() {
                let mut spoiled = proof.clone();
                spoiled[step][0] ^= 0x80;
                assert!(!extends(old, &older, new, &newer, &spoiled));
            }
        }
        assert_eq!(consistency(0, new), None);
        assert_eq!(consistency(new + 1, new), None);
    }
}

proptest! {
    /// Proofs come from outside: whatever they are, they are judged, and random ones prove nothing.
    #[test]
    fn any_proof_is_judged(
        old in any::<u64>(),
        size in any::<u64>(),
        index in any::<u64>(),
        proof in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let (root, leaf) = ([1; 32], [2; 32]);
        prop_assert!(!includes(&root, size, index, &leaf, &proof));
        prop_assert!(!extends(old, &root, size, &leaf, &proof));
    }
}
