//! Phones, by the wires that stock clients speak.

mod checkpoints;
mod limits;
mod looks;
pub mod phone;
mod tags;
mod tickets;
mod waiting;
mod watermelon;
