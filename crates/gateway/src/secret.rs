//! Random names that nobody guesses.

/// 128 bits as text.
///
/// # Errors
/// The system has no random numbers to give.
pub(crate) fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}
