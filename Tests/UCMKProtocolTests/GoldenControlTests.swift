// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import UCMKModel
import UCMKProtocol

@Suite("Golden messages of the control methods")
struct GoldenControlTests {
  private func call<Message: MessageParams>(
    _ type: Message.Type,
    _ name: String
  ) throws -> Message {
    let fixture = try Fixture(name)
    let (method, params) = try fixture.call()
    #expect(method == Message.method)
    let message = try Message(params: params)
    let line = written { writer in
      if Message.method == .event {
        message.writeNotification(to: &writer)
      } else {
        message.writeRequest(id: .integer(7), to: &writer)
      }
    }
    #expect(line == fixture.line)
    return message
  }

  @Test("methods without params")
  func empty() throws {
    #expect(try call(DaemonStatus.self, "daemon.status") == DaemonStatus())
    #expect(try call(DaemonResume.self, "daemon.resume") == DaemonResume())
    #expect(try call(Discover.self, "rpc.discover") == Discover())
  }

  @Test("client.list and client.get")
  func clients() throws {
    let list = try call(ClientList.self, "client.list")
    #expect(list.cursor == "c100")
    #expect(list.limit == 500)
    #expect(list.filter.userID == 1_000)
    #expect(list.filter.cgroup == "/user.slice")
    #expect(list.filter.name == "imgd")
    #expect(try call(ClientGet.self, "client.get").session == "c17")
  }

  @Test("round.list and round.get")
  func rounds() throws {
    #expect(try call(RoundList.self, "round.list").limit == 256)
    #expect(try call(RoundGet.self, "round.get").round == RoundID(412))
  }

  @Test("plan and trigger")
  func planAndTrigger() throws {
    let plan = try call(Plan.self, "plan")
    #expect(plan == Plan(bytes: .gibibytes(1), level: .critical, scope: .domain(.host)))
    let trigger = try call(Trigger.self, "trigger")
    #expect(trigger.bytes == .gibibytes(1))
    #expect(trigger.level == .low)
    #expect(trigger.scope == .manual)
    #expect(trigger.isDryRun)
    #expect(!trigger.waits)
    #expect(trigger.timeout == .milliseconds(50))
  }

  @Test("subscribe, its result, unsubscribe and event")
  func subscriptions() throws {
    let subscribe = try call(Subscribe.self, "subscribe")
    #expect(subscribe.topics == [.pressure, .rounds, .clients, .status])
    #expect(subscribe.interval == .seconds(1))
    let fixture = try Fixture("subscribe.result")
    let result = try SubscribeResult(result: fixture.result())
    #expect(result.subscription == 1)
    #expect(written { result.writeResponse(id: .integer(7), to: &$0) } == fixture.line)
    #expect(try call(Unsubscribe.self, "unsubscribe").subscription == 1)
    let event = try call(Event.self, "event")
    #expect(event.subscription == 1)
    #expect(event.topic == .pressure)
    #expect(event.time == MonotonicInstant(nanoseconds: 123_456_789))
    #expect(event.dropped == 2)
    #expect(event.data.member("to")?.string == "low")
  }

  @Test("daemon.reload, daemon.pause and cache.override")
  func steering() throws {
    #expect(try call(DaemonReload.self, "daemon.reload").checksOnly)
    #expect(try call(DaemonPause.self, "daemon.pause").span == .seconds(60))
    let override = try call(CacheOverride.self, "cache.override")
    #expect(override.session == "c17")
    #expect(override.id == CacheID(3))
    #expect(override.share == 10_000)
    #expect(override.floor == .kibibytes(4))
    #expect(override.minimumLevel == .medium)
    #expect(override.span == .seconds(60))
  }

  @Test("results that are empty")
  func emptyResults() throws {
    for name in ["cache.update", "unsubscribe", "cache.override"] {
      let fixture = try Fixture(name + ".result")
      #expect(try EmptyResult(result: fixture.result()) == EmptyResult())
      #expect(written { EmptyResult().writeResponse(id: .integer(7), to: &$0) } == fixture.line)
    }
  }
}
