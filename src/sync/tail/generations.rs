//! A map of bounded size that forgets first what nobody asked for longest. Pure.

use std::collections::HashMap;

use uuid::Uuid;

/// It holds [`Generations::new`]'s number of keys at most.
pub struct Generations<V> {
    young: HashMap<Uuid, V>,
    /// Takes the place of the young when these are half of what may be held.
    old: HashMap<Uuid, V>,
    half: usize,
}

impl<V: Default> Generations<V> {
    pub fn new(keys: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            half: (keys / 2).max(1),
        }
    }

    /// What is held of a key, which is kept longer for it.
    pub fn get(&mut self, key: Uuid) -> Option<&V> {
        if !self.young.contains_key(&key) {
            let value = self.old.remove(&key)?;
            self.rejuvenate(key, value);
        }
        self.young.get(&key)
    }

    pub fn peek(&self, key: Uuid) -> Option<&V> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    pub fn peek_mut(&mut self, key: Uuid) -> Option<&mut V> {
        self.young.get_mut(&key).or_else(|| self.old.get_mut(&key))
    }

    /// Changes what is held of a key; says whether others were forgotten for it.
    pub fn put(&mut self, key: Uuid, change: impl FnOnce(&mut V)) -> bool {
        if let Some(value) = self.young.get_mut(&key) {
            change(value);
            return false;
        }
        let mut value = self.old.remove(&key).unwrap_or_default();
        change(&mut value);
        self.rejuvenate(key, value)
    }

    pub fn each(&mut self, change: impl FnMut(&mut V)) {
        self.young
            .values_mut()
            .chain(self.old.values_mut())
            .for_each(change);
    }

    pub fn clear(&mut self) {
        self.young = HashMap::new();
        self.old = HashMap::new();
    }

    fn rejuvenate(&mut self, key: Uuid, value: V) -> bool {
        let is_full = self.young.len() >= self.half;
        if is_full {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
        is_full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_it_may_and_keeps_who_is_asked_for() {
        let mut map = Generations::new(10);
        let asked = Uuid::from_u128(1);
        map.put(asked, |value| *value = 1);
        let mut forgot = 0;
        for n in 2..1000 {
            forgot += usize::from(map.put(Uuid::from_u128(n), |value| *value = 2));
            assert_eq!(map.get(asked), Some(&1), "{n}");
            assert!(map.young.len() + map.old.len() <= 10);
        }
        assert!(forgot > 100);
        assert_eq!(map.peek(Uuid::from_u128(2)), None);
    }

    #[test]
    fn what_is_held_is_changed_wherever_it_lies() {
        let mut map = Generations::new(4);
        for n in 1..=3 {
            map.put(Uuid::from_u128(n), |value| *value = 1);
        }
        assert!(map.old.contains_key(&Uuid::from_u128(1)));
        map.each(|value| *value += 1);
        if let Some(value) = map.peek_mut(Uuid::from_u128(1)) {
            *value += 1;
        }
        map.put(Uuid::from_u128(2), |value| *value += 2);
        let held = [1, 2, 3].map(|n| map.peek(Uuid::from_u128(n)).copied());
        assert_eq!(held, [Some(3), Some(4), Some(2)]);
        map.clear();
        assert_eq!(map.peek(Uuid::from_u128(3)), None);
    }
}
