//! Prices, sizes, levels and times as venues write them in JSON, read without a detour.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use model::{DecimalError, Level, Price, Size, TimeError, UnixNanos};
use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::NUMBER_MARK;

/// A price in a JSON string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PriceText(pub(crate) Price);

/// A size in a JSON string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SizeText(pub(crate) Size);

/// A price in a JSON number, whose digits count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PriceNumber(pub(crate) Price);

/// A size in a JSON number, whose digits count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SizeNumber(pub(crate) Size);

/// `["price","size",…]`: whatever follows the two is passed over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair(pub(crate) Level);

/// `[price,size,…]` in numbers, or in strings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberPair(pub(crate) Level);

fn number_error<E: Error>(error: DecimalError) -> E {
    E::custom(format_args!("{NUMBER_MARK}{error}"))
}

impl<'de> Deserialize<'de> for PriceText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(Price::parse)).map(Self)
    }
}

impl<'de> Deserialize<'de> for SizeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(Size::parse)).map(Self)
    }
}

struct TextVisitor<T>(fn(&str) -> Result<T, DecimalError>);

impl<T> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number in a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(number_error)
    }
}

impl<'de> Deserialize<'de> for PriceNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Price::parse(bare(raw)).map(Self).map_err(number_error)
    }
}

impl<'de> Deserialize<'de> for SizeNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Size::parse(bare(raw)).map(Self).map_err(number_error)
    }
}

/// The digits of a number, whether it stands in quotes or not.
fn bare(raw: &RawValue) -> &str {
    let text = raw.get();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = PairVisitor::<PriceText, SizeText>(PhantomData);
        deserializer
            .deserialize_seq(visitor)
            .map(|(price, size)| Self(Level { price: price.0, size: size.0 }))
    }
}

impl<'de> Deserialize<'de> for NumberPair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = PairVisitor::<PriceNumber, SizeNumber>(PhantomData);
        deserializer
            .deserialize_seq(visitor)
            .map(|(price, size)| Self(Level { price: price.0, size: size.0 }))
    }
}

/// `["word","price","size",…]`: a level and what is to be done with it.
#[derive(Clone, Debug)]
pub(crate) struct Marked<'a>(pub(crate) Cow<'a, str>, pub(crate) Level);

/// The same with price and size in numbers.
#[derive(Clone, Debug)]
pub(crate) struct MarkedNumbers<'a>(pub(crate) Cow<'a, str>, pub(crate) Level);

impl<'de: 'a, 'a> Deserialize<'de> for Marked<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (Word(word), Pair(level)) = deserializer.deserialize_seq(MarkedVisitor(PhantomData))?;
        Ok(Self(word, level))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for MarkedNumbers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (Word(word), NumberPair(level)) = deserializer.deserialize_seq(MarkedVisitor(PhantomData))?;
        Ok(Self(word, level))
    }
}

#[derive(Deserialize)]
struct Word<'a>(#[serde(borrow)] Cow<'a, str>);

/// A word, and what of the rest of the list makes a `T`.
struct MarkedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for MarkedVisitor<T> {
    type Value = (Word<'de>, T);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of a word, price and size")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let word = list.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        Ok((word, T::deserialize(SeqAccessDeserializer::new(list))?))
    }
}

/// A whole number, or one in a string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole(pub(crate) u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        bare(raw).parse().map(Self).map_err(|_| D::Error::custom("a whole number expected"))
    }
}

/// The text of a number or of a string, as it stands there; `None` for `null`.
pub(crate) fn text_of(raw: &RawValue) -> Option<&str> {
    Some(bare(raw)).filter(|text| *text != "null")
}

struct PairVisitor<P, S>(PhantomData<(P, S)>);

impl<'de, P: Deserialize<'de>, S: Deserialize<'de>> Visitor<'de> for PairVisitor<P, S> {
    type Value = (P, S);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of price and size")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(P, S), A::Error> {
        let price = list.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let size = list.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok((price, size))
    }
}

/// What stands there, unless it is `null` or an empty text.
pub(crate) fn known<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    match raw.get() {
        "null" | "\"\"" => Ok(None),
        text => crate::quick::from_str(text).map(Some).map_err(D::Error::custom),
    }
}

/// The word that an object begins with, where that is under `key`: what tells most messages apart, without reading
/// them twice.
pub(crate) fn leading<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let rest = text.strip_prefix("{\"")?.strip_prefix(key)?.strip_prefix("\":\"")?;
    let (word, _) = rest.split_once('"')?;
    (!word.contains('\\')).then_some(word)
}

/// The levels of pairs.
pub(crate) fn levels(pairs: Vec<Pair>) -> Vec<Level> {
    pairs.into_iter().map(|pair| pair.0).collect()
}

/// The levels of pairs of numbers.
pub(crate) fn number_levels(pairs: Vec<NumberPair>) -> Vec<Level> {
    pairs.into_iter().map(|pair| pair.0).collect()
}

/// Time since the epoch in a unit of so many nanoseconds, as a number or in a string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since<const NANOS: u64>(pub(crate) UnixNanos);

pub(crate) type Millis = Since<1_000_000>;
pub(crate) type Micros = Since<1_000>;
pub(crate) type Nanos = Since<1>;

impl<'de, const NANOS: u64> Deserialize<'de> for Since<NANOS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        let units: u64 =
            bare(raw).parse().map_err(|_| D::Error::custom("a time since the epoch expected"))?;
        let nanos = units.checked_mul(NANOS).ok_or_else(|| D::Error::custom(TimeError::OutOfRange))?;
        Ok(Self(UnixNanos(nanos)))
    }
}
