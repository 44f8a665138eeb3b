//! What copies must be refused for, whoever made them.

use insighthub_model::Timestamp;
use insighthub_model::access::Role;
use openraft::{CommittedLeaderId, LogId, SnapshotMeta};

use super::*;
use crate::block::BlockId;
use crate::control::{
    AddSigningKey, ControlCommand, NodeState, Proof, Session, SessionCommand, TopologyCommand, User,
    UserCommand,
};
use crate::identity::Member;
use crate::partition::{Content, PartitionState};
use crate::snapshot::StoredSnapshot;

const PARTITION: PartitionId = PartitionId(3);
const INDEX: u64 = 90;

fn block(seal_index: u64, offset_range: (u64, u64)) -> BlockMeta {
    BlockMeta {
        partition: PARTITION,
        id: BlockId::of_seal(seal_index),
        file_name: crate::block::file_name(PARTITION, BlockId::of_seal(seal_index)),
        bytes: 100,
        raw_bytes: 300,
        rows: offset_range.1 - offset_range.0,
        offset_range,
        time_range: (0, 1),
        content_checksum: seal_index,
    }
}

fn bytes_of(snapshot: Snapshot) -> Vec<u8> {
    let meta = SnapshotMeta {
        last_log_id: Some(LogId::new(CommittedLeaderId::new(7, 2), INDEX)),
        ..SnapshotMeta::default()
    };
    snapshot::encode(&StoredSnapshot { meta, snapshot }).unwrap()
}

fn partition_with(change: impl FnOnce(&mut PartitionSnapshot)) -> Vec<u8> {
    let blocks = vec![block(40, (0, 10)), block(80, (10, 30))];
    let mut snapshot = PartitionState::new(PARTITION).snapshot(Content { blocks, ..Content::default() });
    snapshot.next_offset = 30;
    change(&mut snapshot);
    bytes_of(Snapshot::Partition(snapshot))
}

fn refusal(bytes: &[u8]) -> String {
    PartitionCopy::decode(PARTITION, bytes).unwrap_err().to_string()
}

#[test]
fn a_copy_says_what_was_copied() {
    let copy = PartitionCopy::decode(PARTITION, &partition_with(|_| {})).unwrap();
    assert_eq!((copy.records(), copy.last_index(), copy.blocks().len()), (30, INDEX, 2));
    // A merge after the state was taken: its number must not be given again.
    let merged = partition_with(|snapshot| {
        snapshot.content.blocks[1].id.written_by = INDEX + 5;
        snapshot.content.merged_by = INDEX + 7;
    });
    assert_eq!(PartitionCopy::decode(PARTITION, &merged).unwrap().last_index(), INDEX + 7);
}

#[test]
fn names_that_lead_out_of_the_directory_are_refused() {
    let long = format!("{}.block", "a".repeat(200));
    for name in
        ["../snapshot", "../../x.block", "/etc/x.block", "a/b.block", "x", ".block", "x\0.block", &long]
    {
        let said = refusal(&partition_with(|snapshot| snapshot.content.blocks[1].file_name = name.into()));
        assert!(said.contains("is no name of a block"), "{name:?}: {said}");
    }
}

#[test]
fn a_copy_that_contradicts_itself_is_refused() {
    let twice = partition_with(|snapshot| snapshot.content.blocks[1] = snapshot.content.blocks[0].clone());
    assert!(refusal(&twice).contains("twice"));
    let changes: [fn(&mut BlockMeta); 5] = [
        |meta| meta.partition = PartitionId(4),
        |meta| meta.offset_range.1 = 31,
        |meta| meta.offset_range = (9, 8),
        |meta| meta.id.seal_index = INDEX + 1,
        |meta| meta.id.written_by = u64::MAX,
    ];
    for change in changes {
        let said = refusal(&partition_with(|snapshot| change(&mut snapshot.content.blocks[1])));
        assert!(said.contains("does not belong to this state"), "{said}");
    }
    assert!(refusal(&partition_with(|snapshot| snapshot.partition = PartitionId(4))).contains("partition 4"));
    assert!(refusal(&bytes_of(Snapshot::Control(ControlState::default()))).contains("another kind"));
}

#[test]
fn any_changed_byte_of_a_copy_is_noticed() {
    let bytes = partition_with(|_| {});
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert!(PartitionCopy::decode(PARTITION, &changed).is_err(), "byte {at}");
        assert!(PartitionCopy::decode(PARTITION, &bytes[..at]).is_err(), "cut to {at}");
    }
}

#[test]
fn nobody_is_signed_in_and_no_node_known_after_a_restore() {
    let mut state = ControlState::default();
    let proof = Proof::Password("$argon2id$".into());
    let user = User { role: Role::Admin, proof, created_at: Timestamp(0) };
    state.apply(ControlCommand::User(UserCommand::Create { name: "admin".into(), user }));
    let session = Session::new("admin".into(), [1; 32], Timestamp(0), 1_000);
    let open = SessionCommand::Open { id: [1; 16], session };
    state.apply(ControlCommand::User(UserCommand::Session(open)));
    let key = AddSigningKey { after: 0, secret: [1; 32], at: Timestamp(0) };
    state.apply(ControlCommand::AddSigningKey(key));
    let member = Member {
        node_id: 1,
        name: "n9".into(),
        disk_id: "d".into(),
        http: String::new(),
        peer: String::new(),
        control: String::new(),
    };
    let found = TopologyCommand::Found { members: vec![member], placement: Default::default() };
    state.apply(ControlCommand::Topology(found));
    state.apply(ControlCommand::Topology(TopologyCommand::SetState {
        node_id: 1,
        state: NodeState::Draining,
    }));
    let spread = TopologyCommand::Spread { service: "checkout".into(), partitions: 2 };
    state.apply(ControlCommand::Topology(spread));
    // As somebody might have put it together who wants to be signed in.
    let copy = ControlCopy::decode(&bytes_of(Snapshot::Control(state.clone()))).unwrap();
    assert_eq!((copy.users(), copy.state.users.by_name.clone()), (1, state.users.by_name));
    assert!(copy.state.signing_keys.newest().is_none());
    assert!(
        copy.state.users.sessions.open_at(Timestamp(0)).next().is_none()
            && copy.state.topology.nodes.is_empty()
    );
    assert_eq!(copy.state.topology.spread.get("checkout"), Some(&2));
}
