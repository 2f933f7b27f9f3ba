//! What each venue's own rules say of frames that are lost, repeated, wrong, packed or refused; what
//! recordings of other instruments, markets and versions of its channels hold.

#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "../play/mod.rs"]
mod play;

mod anew;
mod binance;
mod bitfinex;
mod bitget;
mod bitstamp;
mod bybit;
mod coinbase;
mod deribit;
mod gemini;
mod huobi;
mod kucoin;
