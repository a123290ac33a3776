// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// Writes where a client stands in the cgroup tree of a plan or a round.
enum NodeRender {
  /// The list `path` of a client's inputs: from the root to what it shared with others.
  static func write(_ path: [NodeQuota], to writer: inout JSONWriter) {
    writer.key("path")
    writer.beginArray()
    for node in path {
      writer.beginObject()
      members(node, to: &writer)
      writer.endObject()
    }
    writer.endArray()
  }

  /// The members of one node.
  static func members(_ node: NodeQuota, to writer: inout JSONWriter) {
    switch node.holder {
    case .cgroup(let path): writer.member("cgroup", path)
    case .process(let process): writer.member("pid", signed: Int64(process.number))
    }
    writer.member("size", node.size)
    writer.member("cold", node.cold)
    writer.member("children_cap", node.childrenCap)
    writer.member("room", orNull: node.room)
    writer.member("cap", node.cap)
    writer.member("weight", node.weight)
    writer.member("cost", node.cost)
    writer.member("part", node.part)
    write("level", node.level, to: &writer)
  }

  /// What a client enters the split with.
  static func write(
    entry: (size: ByteCount, cap: ByteCount, weight: UInt64, cold: ByteCount, cost: UInt64),
    to writer: inout JSONWriter
  ) {
    writer.member("size", entry.size)
    writer.member("cap", entry.cap)
    writer.member("weight", entry.weight)
    writer.member("cold", entry.cold)
    writer.member("cost", entry.cost)
  }

  /// A level as `{"numerator","denominator"}`, or null.
  static func write(
    _ name: StaticString,
    _ level: LevelFraction?,
    to writer: inout JSONWriter
  ) {
    writer.key(name)
    guard let level else { return writer.null() }
    writer.beginObject()
    writer.member("numerator", level.numerator)
    writer.member("denominator", level.denominator)
    writer.endObject()
  }

  /// The same as steps of the arithmetic.
  static func steps(_ path: [NodeQuota], _ step: (String, UInt64) -> Void) {
    for node in path {
      let name = title(of: node)
      step("\(name): size, sum of what is right below", node.size.value)
      if let room = node.room {
        step("\(name): sum of the caps right below", node.childrenCap.value)
        step("\(name): what is held less what the kernel keeps for it", room.value)
      }
      step("\(name): cap", node.cap.value)
      step("\(name): weight, mean of those right below by size", node.weight)
      step("\(name): part", node.part.value)
      guard let level = node.level else { continue }
      step("\(name): level of what is right below, above the line", level.numerator)
      step("\(name): level of what is right below, below the line", level.denominator)
    }
  }

  private static func title(of node: NodeQuota) -> String {
    switch node.holder {
    case .cgroup("/"): "everybody"
    case .cgroup(let path): "cgroup \(path)"
    case .process(let process): "process \(process.number)"
    }
  }
}
