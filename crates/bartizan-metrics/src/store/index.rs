//! From a key to its cell: the one look-up that every macro call makes.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{PoisonError, RwLock};

use metrics::Key;

use super::cell::Cell;

const SHARDS: usize = 16;

/// A sharded map. A hit takes one read lock and no allocation.
#[derive(Debug)]
pub(crate) struct Index {
    shards: [RwLock<HashMap<Key, Cell, Seed>>; SHARDS],
    seed: Seed,
}

impl Index {
    pub(crate) fn new() -> Self {
        let seed = Seed(RandomState::new().hash_one(SHARDS));
        Self { shards: std::array::from_fn(|_| RwLock::new(HashMap::with_hasher(seed))), seed }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Cell> {
        self.shard(key)?.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// The cell of a key; `make` may refuse to make a new one.
    pub(crate) fn get_or_insert(&self, key: &Key, make: impl FnOnce() -> Option<Cell>) -> Option<Cell> {
        let mut shard = self.shard(key)?.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = shard.get(key) {
            return Some(cell.clone());
        }
        let cell = make()?;
        shard.insert(key.clone(), cell.clone());
        Some(cell)
    }

    fn shard(&self, key: &Key) -> Option<&RwLock<HashMap<Key, Cell, Seed>>> {
        // Middle bits: the map itself looks at both ends of the hash.
        let bits = self.seed.mix(key.get_hash()) >> 32;
        self.shards.get(bits as usize % SHARDS)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().unwrap().len()).sum()
    }
}

/// Keys bring their hash along, made with a public seed and not well spread: this spreads it,
/// differently in every store.
#[derive(Clone, Copy, Debug)]
struct Seed(u64);

impl Seed {
    fn mix(self, hash: u64) -> u64 {
        let wide = u128::from(hash ^ self.0) * 0x9e37_79b9_7f4a_7c15;
        (wide as u64) ^ ((wide >> 64) as u64)
    }
}

impl BuildHasher for Seed {
    type Hasher = KeyHasher;

    fn build_hasher(&self) -> KeyHasher {
        KeyHasher { seed: *self, hash: 0 }
    }
}

struct KeyHasher {
    seed: Seed,
    hash: u64,
}

impl Hasher for KeyHasher {
    fn write_u64(&mut self, hash: u64) {
        self.hash = self.seed.mix(hash);
    }

    // A key only ever writes its ready hash; this keeps the hasher right if that should change.
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.hash = self.seed.mix(self.hash.rotate_left(8) ^ u64::from(byte));
        }
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}
