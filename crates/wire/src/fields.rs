//! A JSON object as a list of raw fields: unknown and repeated ones are errors, not noise.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::request::RequestError;
use crate::suggest::hint;

/// The fields of a request, each as the text the client wrote.
pub(crate) struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// The text of a field, unparsed; `null` counts as absent.
    pub(crate) fn raw(&self, name: &str) -> Option<&RawValue> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        (value.get() != "null").then_some(value)
    }

    /// A field, or `None` where it is absent. `wanted` completes "must be …".
    pub(crate) fn optional<T: DeserializeOwned>(
        &self,
        name: &'static str,
        wanted: &str,
    ) -> Result<Option<T>, RequestError> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        match serde_json::from_str(raw.get()) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(RequestError::field(name, format!("Field \"{name}\" must be {wanted}."))),
        }
    }

    /// A field that must be there.
    pub(crate) fn required<T: DeserializeOwned>(
        &self,
        name: &'static str,
        wanted: &str,
    ) -> Result<T, RequestError> {
        self.optional(name, wanted)?.ok_or_else(|| {
            RequestError::field(name, format!("Field \"{name}\" is missing; it must be {wanted}."))
        })
    }

    /// Refuses any field that is not of this operation.
    pub(crate) fn permit(&self, known: &[&'static str]) -> Result<(), RequestError> {
        match self.0.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, _)) => {
                let message = format!("Unknown field \"{key}\".{}", hint(key, known.iter().copied()));
                Err(RequestError::field(key, message))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// Fields of one request: more than any has, few enough to be compared with each other.
const FIELDS_MAX: usize = 32;

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::<(String, Box<RawValue>)>::new();
        while let Some((key, value)) = map.next_entry()? {
            if fields.len() == FIELDS_MAX {
                return Err(A::Error::custom(format_args!("more than {FIELDS_MAX} fields")));
            }
            if fields.iter().any(|(known, _)| *known == key) {
                return Err(A::Error::custom(format_args!("field {key:?} stands twice")));
            }
            fields.push((key, value));
        }
        Ok(Fields(fields))
    }
}
