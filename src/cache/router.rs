//! Which memcached holds a key: rendezvous hashing with a hash that never changes.

use memcache::exp::Router;
use sha2::{Digest, Sha256};

/// The node whose hash together with the key is highest. When a node goes, only its keys move.
pub struct Rendezvous;

impl Router for Rendezvous {
    fn route(&self, key: &[u8], servers: &[String]) -> usize {
        if servers.len() < 2 {
            return 0;
        }
        servers
            .iter()
            .enumerate()
            .max_by_key(|(_, server)| {
                let mut hash = Sha256::new();
                hash.update(server.as_bytes());
                hash.update([0]);
                hash.update(key);
                hash.finalize().to_vec()
            })
            .map_or(0, |(index, _)| index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_keys_of_a_lost_node_move() {
        let three: Vec<String> = ["a:1", "b:1", "c:1"].map(str::to_owned).to_vec();
        let two = three.get(..2).unwrap();
        for i in 0..200 {
            let key = format!("key-{i}");
            let before = Rendezvous.route(key.as_bytes(), &three);
            if before < 2 {
                assert_eq!(Rendezvous.route(key.as_bytes(), two), before);
            }
        }
    }
}
