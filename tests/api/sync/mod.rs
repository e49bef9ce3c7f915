//! Phones, by the wires that stock clients speak.

mod checkpoints;
mod looks;
mod phone;
mod tags;
mod tickets;
mod waiting;
mod watermelon;
