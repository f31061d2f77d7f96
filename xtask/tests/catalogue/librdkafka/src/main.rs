//! Produces and consumes through the crate `rdkafka`, against the cluster of brokers that librdkafka
//! itself can play.

use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::util::get_rdkafka_version;
use rdkafka::{Offset, TopicPartitionList};

const LIMIT: Duration = Duration::from_secs(30);

pub fn main() {
    let (_, version) = get_rdkafka_version();
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());

    let cluster = MockCluster::new(3).unwrap();
    let brokers = cluster.bootstrap_servers();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        cluster.create_topic(codec, 1, 1).unwrap();
        let text: Vec<u8> = (0..20_000u32).flat_map(|n| (n % 100).to_be_bytes()).collect();
        produce(&brokers, codec, &text);
        assert_eq!(consume(&brokers, codec), text, "{codec}");
    }

    // What needs OpenSSL is refused by a library that was built without.
    let mut secure = ClientConfig::new();
    secure.set("bootstrap.servers", &brokers).set("security.protocol", "sasl_ssl");
    secure.set("sasl.mechanism", "SCRAM-SHA-512").set("sasl.username", "me");
    secure.set("sasl.password", "secret").set("ssl.ca.pem", "no certificate");
    let error = secure.create::<BaseProducer>().err().unwrap().to_string();
    assert!(error.contains("ssl.ca.pem"), "{error}");
    secure.remove("ssl.ca.pem");
    secure.set("enable.ssl.certificate.verification", "false");
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] {
        secure.set("sasl.mechanism", mechanism).create::<BaseProducer>().expect(mechanism);
    }
    // Kerberos is not in it.
    secure.set("sasl.mechanism", "GSSAPI").create::<BaseProducer>().err().unwrap();
}

fn produce(brokers: &str, codec: &str, text: &[u8]) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("compression.codec", codec);
    let producer: BaseProducer = config.create().unwrap();
    producer.send(BaseRecord::to(codec).key("key").payload(text)).map_err(|(e, _)| e).unwrap();
    producer.flush(LIMIT).unwrap();
}

fn consume(brokers: &str, topic: &str) -> Vec<u8> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("group.id", "readers");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&list).unwrap();
    let message = consumer.poll(LIMIT).expect("a message in time").unwrap();
    assert_eq!(message.key(), Some(&b"key"[..]));
    message.payload().unwrap().to_vec()
}
