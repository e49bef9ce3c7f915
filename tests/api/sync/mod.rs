//! Phones, by the wires that stock clients speak.

mod assignments;
mod checkpoints;
mod forgotten;
mod limits;
mod looks;
mod month;
pub mod phone;
mod receipts;
mod tags;
mod tickets;
mod waiting;
mod watermelon;
