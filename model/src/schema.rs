//! Schemas of types whose JSON form is written by hand; the others derive theirs. Behind the feature `schema`: who only speaks
//! the API does not carry its description.

use utoipa::openapi::schema::{
    AdditionalProperties, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{RefOr, schema};
use utoipa::{PartialSchema, ToSchema};

use crate::alerts::WriteOnly;
use crate::detection::EpisodeId;
use crate::{Level, LogId, Record, Timestamp};

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

macro_rules! schema_of {
    ($type:ty, $schema:expr) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let schema: Object = $schema.build();
                schema.into()
            }
        }
        impl ToSchema for $type {}
    };
}

schema_of!(
    Timestamp,
    text("RFC 3339 in UTC; taken in are also seconds since 1970, as a text.")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
);
schema_of!(
    LogId,
    text("Partition and offset in hex, such as `0003-00000000001a`.")
        .pattern(Some("^[0-9a-fA-F]{4}-[0-9a-fA-F]{12,16}$"))
);
schema_of!(
    EpisodeId,
    text("Moment, partition and service, such as `18a3f00c2b400000-0003-payment`.")
        .pattern(Some("^[0-9a-fA-F]{16}-[0-9a-fA-F]{4}-.+"))
);
schema_of!(WriteOnly, text("A secret. It is answered as `(set)`; sent back so, it stays as it is."));

impl PartialSchema for Record {
    fn schema() -> RefOr<Schema> {
        let number =
            || ObjectBuilder::new().schema_type(schema::SchemaType::from_iter([Type::Number, Type::Null]));
        let record = ObjectBuilder::new()
            .description(Some("One stored record; the client's own fields stand beside the system's."))
            .property("log_id", LogId::schema())
            .property("timestamp", Timestamp::schema())
            .property("service", ObjectBuilder::new().schema_type(Type::String))
            .property("level", Level::schema())
            .property("message", ObjectBuilder::new().schema_type(Type::String))
            .property("latency_ms", number())
            .property("anomaly_score", number())
            .property("is_anomaly", ObjectBuilder::new().schema_type(Type::Boolean))
            .property("anomaly_reason", ObjectBuilder::new().schema_type(Type::String))
            .property("created_at", Timestamp::schema())
            .additional_properties(Some(AdditionalProperties::FreeForm(true)));
        let always = [
            "log_id",
            "timestamp",
            "service",
            "level",
            "message",
            "latency_ms",
            "anomaly_score",
            "is_anomaly",
            "created_at",
        ];
        always.into_iter().fold(record, ObjectBuilder::required).build().into()
    }
}

impl ToSchema for Record {}
