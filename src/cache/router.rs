//! Which memcached holds a key: rendezvous hashing with a hash that never changes, whatever the
//! release, the toolchain or the order in the settings.

use sha2::{Digest, Sha256};

/// The index of the node whose hash together with the key is highest. When a node is taken out of
/// the settings, only its keys move.
pub fn route<'a>(key: &str, nodes: impl Iterator<Item = &'a str>) -> usize {
    nodes
        .enumerate()
        .max_by_key(|(_, node)| {
            let mut hash = Sha256::new();
            hash.update(node.as_bytes());
            hash.update([0]);
            hash.update(key.as_bytes());
            hash.finalize().to_vec()
        })
        .map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_keys_of_a_lost_node_move() {
        let (three, two) = (["a:1", "b:1", "c:1"], ["a:1", "b:1"]);
        for i in 0..200 {
            let key = format!("key-{i}");
            let before = route(&key, three.into_iter());
            if before < 2 {
                assert_eq!(route(&key, two.into_iter()), before);
            }
        }
    }

    #[test]
    fn every_release_finds_a_key_at_the_same_node() {
        let nodes = ["10.0.0.1:11211", "10.0.0.2:11211", "10.0.0.3:11211"];
        let found: Vec<usize> = (0..12)
            .map(|i| route(&format!("spotter:campaign:3:search-{i}"), nodes.into_iter()))
            .collect();
        assert_eq!(found, [1, 0, 1, 2, 1, 0, 2, 2, 1, 2, 0, 1]);
    }
}
