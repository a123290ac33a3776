// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("Who is believed of its refill cost")
struct CostVoucherTests {
  /// A voucher after so many rounds that told something.
  private func voucher(after rounds: Int) -> CostVoucher {
    var voucher = CostVoucher()
    for _ in 0..<rounds {
      voucher.observe(asked: .mebibytes(1), claimed: .mebibytes(1), hasAnswered: true)
    }
    return voucher
  }

  @Test(
    "three measured rounds are needed",
    arguments: [(0, false), (2, false), (3, true), (9, true)]
  )
  func rounds(count: Int, agrees: Bool) {
    let voucher = voucher(after: count)
    #expect(voucher.agrees(trust: Trust(), memoryKept: MemoryKept()) == agrees)
    #expect(voucher.rounds == UInt8(min(count, 3)))
  }

  @Test("a small request, no answer and no claim tell nothing")
  func nothing() {
    var voucher = voucher(after: 2)
    voucher.observe(asked: ByteCount(1_048_575), claimed: .mebibytes(1), hasAnswered: true)
    voucher.observe(asked: .mebibytes(9), claimed: .mebibytes(9), hasAnswered: false)
    voucher.observe(asked: .mebibytes(9), claimed: .zero, hasAnswered: true)
    #expect(voucher.rounds == 2)
    voucher.observe(asked: .mebibytes(1), claimed: ByteCount(1), hasAnswered: true)
    #expect(voucher.rounds == 3)
  }

  @Test(
    "whoever fell short once has to give 90 % again",
    arguments: [
      (8_999, true, false), (9_000, true, true), (10_000, true, true), (500, false, true),
    ] as [(UInt32, Bool, Bool)]
  )
  func trust(parts: UInt32, fellShort: Bool, agrees: Bool) {
    let trust = Trust(parts: Permyriad(parts), fellShort: fellShort)
    #expect(voucher(after: 3).agrees(trust: trust, memoryKept: MemoryKept()) == agrees)
  }

  @Test("an allocator that keeps memory takes the word from its client")
  func allocator() {
    let trust = Trust(parts: .one, fellShort: true)
    #expect(!voucher(after: 3).agrees(trust: trust, memoryKept: MemoryKept(isKept: true)))
  }

  @Test("what is remembered is brought into range")
  func remembered() {
    #expect(CostVoucher(rounds: 2).rounds == 2)
    #expect(CostVoucher(rounds: .max).rounds == 3)
  }
}

@Suite("A refill cost over rounds")
struct CostScenarioTests {
  /// Two clients of 400 MiB; the second measured eight times the cost that both declare.
  private func stage() -> Stage {
    var stage = Stage()
    stage.join(1, [400])
    stage.join(2, [400])
    report(&stage)
    return stage
  }

  /// Both are as large as at first again, and the second says again what it measured.
  private func report(_ stage: inout Stage) {
    var usage = CacheUsage.mebibytes(400)
    _ = stage.send(.reported(ClientID(1), CacheID(1), usage))
    usage.refillMicrosecondsPerMiB = 80_000
    _ = stage.send(.reported(ClientID(2), CacheID(1), usage))
    stage.resident = [11: 400 << 20, 12: 400 << 20]
  }

  /// A manual round in which the second client gives this percentage of what it claims.
  ///
  /// 500 MiB: even at eight times the weight it has a part that can be measured.
  private func round(_ stage: inout Stage, real: UInt64 = 100) {
    _ = stage.ask(500)
    let number = stage.broker.lastRound?.number ?? 0
    _ = stage.answer(1, in: number)
    _ = stage.answer(2, in: number, real: real)
    _ = stage.pass(milliseconds: 8_000)
    report(&stage)
  }

  private func input(_ stage: Stage) -> QuotaInputs {
    let request = RoundRequest(bytes: .mebibytes(500), level: .low, scope: .manual, dryRun: true)
    return stage.broker.plan(request).clients[1].caches[0].inputs
  }

  /// What is spared for a cost that nobody vouches for is owed: after the first round nothing of
  /// the narrow band is left.
  @Test("counts in the narrow band at first, in the wide one after three honest rounds")
  func honest() {
    var stage = stage()
    var bands: [UInt32] = []
    for _ in 0..<4 {
      bands.append(input(stage).costBand.parts)
      round(&stage)
    }
    #expect(bands == [20_000, 10_000, 10_000, 80_000])
    #expect(input(stage).isVouched)
    #expect(stage.round(4).clients[1].caches[0].inputs.isVouched)
    #expect(stage.round(4).clients[1].caches[0].inputs.refillMicrosecondsPerMiB == 80_000)
    #expect(!stage.round(3).clients[1].caches[0].inputs.isVouched)
  }

  @Test("of a client that claims and does not free it never counts in the wide band")
  func liar() {
    var stage = stage()
    for _ in 0..<6 {
      round(&stage, real: 0)
      #expect(input(stage).costBand <= Permyriad(20_000))
      #expect(!input(stage).isVouched)
    }
    #expect(stage.broker.behaviour(of: ClientID(2))?.measuredRounds == 3)
  }

  @Test("a client that begins to lie is not believed from then on")
  func fallen() {
    var stage = stage()
    _ = stage.send(.remembered(ClientID(2), memory(rounds: 3)))
    #expect(input(stage).isVouched)
    round(&stage, real: 10)
    #expect(!input(stage).isVouched)
  }

  @Test("the rounds that were seen survive a reconnect and a restart")
  func survival() {
    var stage = stage()
    _ = stage.send(.remembered(ClientID(2), memory(rounds: 3)))
    _ = stage.send(.detached(ClientID(2)))
    _ = stage.send(.reattached(ClientID(2), .plain(2)))
    #expect(input(stage).isVouched)
    #expect(stage.broker.behaviour(of: ClientID(2)) == memory(rounds: 3))
    _ = stage.send(.remembered(ClientID(2), memory(rounds: 2)))
    #expect(!input(stage).isVouched)
  }

  @Test("without the member nothing is vouched for, whatever was seen")
  func unmeasured() {
    var stage = stage()
    _ = stage.send(.remembered(ClientID(2), memory(rounds: 3)))
    _ = stage.send(.reported(ClientID(2), CacheID(1), .mebibytes(400)))
    #expect(!input(stage).isVouched)
    #expect(input(stage).refillMicrosecondsPerMiB == nil)
  }

  @Test("an answer leaves no more cold bytes than could still go")
  func cold() {
    var stage = stage()
    var usage = CacheUsage.mebibytes(400)
    usage.cold = .mebibytes(350)
    _ = stage.send(.reported(ClientID(1), CacheID(1), usage))
    _ = stage.ask(300)
    _ = stage.answer(1)
    let left = stage.cache(1).declaration.usage
    #expect(left.reclaimable < .mebibytes(350))
    #expect(left.cold == left.reclaimable)
  }

  private func memory(rounds: UInt8) -> RememberedBehaviour {
    var memory = RememberedBehaviour.blank
    memory.measuredRounds = rounds
    return memory
  }
}
