// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// What a daemon says, as `docs/PROTOCOL.md` has it; each is one line once its breaks are gone.
enum Samples {
  static let hello = """
    {"protocol":1,"daemon":{"name":"ucmkd","version":"0.1.0"},"session":"c99",
    "resume_token":"t","resumed":false,"heartbeat_ms":15000,"report_min_interval_ms":100,
    "limits":{"line_in":65536,"line_out":262144},
    "host":{"mem_total":17179869184,"page_size":4096,"psi":true,"cgroup2":true,
    "swap_total":2147483648},
    "you":{"pid":4242,"uid":0,"gid":0,"cgroup":"/user.slice","roles":["observer","admin"]},
    "capabilities":{}}
    """

  static let status = """
    {"state":"watching","level":"medium","version":"0.1.0","protocol":1,"uptime_ms":7512345,
    "psi":{"some":{"avg10":1234,"avg60":801,"avg300":250,"total_us":98765432},
    "full":{"avg10":310,"avg60":100,"avg300":40,"total_us":12345678}},
    "memory":{"total":17179869184,"available":2254857830,"swap_free":2147483648},
    "domains":[
    {"scope":{"kind":"host"},"state":"watching","level":"medium","capacity":17179869184,
    "available":2254857830,"low":858993459,"high":1374389534,"grow":2061584302},
    {"scope":{"kind":"cgroup","path":"/system.slice/shop.slice"},"state":"round",
    "level":"critical","capacity":2147483648,"available":53687091,"low":107374182,
    "high":171798691,"grow":257698037}],
    "triggers":[
    {"scope":{"kind":"host"},"kind":"some","stall_us":150000,"window_us":1000000,
    "source":"trigger"},
    {"scope":{"kind":"cgroup","path":"/system.slice/shop.slice"},"kind":"full",
    "stall_us":70000,"window_us":2000000,"source":"average"}],
    "counts":{"clients":3,"caches":7,"rounds":412,"timeouts":4,"reports_dropped":0,
    "notifications_dropped":0},
    "bytes":{"registered":1288490188,"reclaimable":1027604480,"asked":9663676416,
    "claimed":9448928051,"measured":9126805504},
    "surfaces":{"socket":"on","signals":"off","reclaim":"error: permission denied"},
    "last_round":412}
    """

  static let clients = """
    {"clients":[\(imgd),\(shopd)]}
    """

  static let imgd = """
    {"session":"c17","kind":"member","name":"imgd","pid":4711,"uid":1000,
    "cgroup":"/app.slice/imgd.service","trust":9800,"last_round":412,"caches":[
    {"id":3,"name":"thumbs","bytes":536870912,"reclaimable":528482304,"floor":8388608,
    "share":50,"cost_us_per_mib":2000,"min_level":"low","limit":null},
    {"id":4,"name":"tiles","bytes":67108864,"reclaimable":33554432,"floor":0,"share":100,
    "cost_us_per_mib":500,"min_level":"critical","limit":50331648}]}
    """

  static let shopd = """
    {"session":"c20","kind":"member","name":"shopd","pid":815,"uid":33,
    "cgroup":"/system.slice/shop.slice/shopd.service","trust":10000,"last_round":null,
    "caches":[{"id":1,"name":"pages","bytes":1073741824,"reclaimable":1024,"floor":0,
    "share":100,"cost_us_per_mib":10000,"min_level":"medium","limit":null}]}
    """

  static let client = """
    {"session":"c17","kind":"member","name":"imgd","pid":4711,"uid":1000,
    "cgroup":"/app.slice/imgd.service","trust":9800,"last_round":412,"caches":[
    {"id":3,"name":"thumbs","bytes":536870912,"reclaimable":528482304,"floor":8388608,
    "share":50,"cost_us_per_mib":2000,"min_level":"low","limit":null},
    {"id":4,"name":"tiles","bytes":67108864,"reclaimable":33554432,"floor":0,"share":100,
    "cost_us_per_mib":500,"min_level":"critical","limit":50331648}],
    "history":[
    {"round":412,"asked":136314880,"claimed":134217728,"measured":130023424,"took_ms":38,
    "outcome":"done"},
    {"round":398,"asked":67108864,"claimed":0,"measured":0,"took_ms":2000,
    "outcome":"silent"}]}
    """

  static let plan = """
    {"target":536870912,"capacity":562036736,"part":536870912,"unmet":0,"level":"medium",
    "scope":{"kind":"manual"},"clients":[
    {"session":"c17","name":"imgd","pid":4711,"cgroup":"/app.slice/imgd.service",
    "part":503316480,"asked":513802240,"caches":[
    {"id":3,"name":"thumbs","part":469762048,"asked":479547392},
    {"id":4,"name":"tiles","part":33554432,"asked":34254848}],
    "inputs":{"caches":[
    {"id":3,"bytes":536870912,"reclaimable":528482304,"measured":541065216,"share":50,
    "cost_us_per_mib":2000,"trust":9800,"ledger":0,"floor":8388608,"cap":528482304,
    "weight":250000},
    {"id":4,"bytes":67108864,"reclaimable":33554432,"measured":67108864,"share":100,
    "cost_us_per_mib":500,"trust":9800,"ledger":4096,"floor":0,"cap":33554432,
    "weight":500000}]},
    "steps":[{"text":"what may be kept above the floors, per unit of weight","value":1342},
    {"text":"part of thumbs","value":469762048,"unit":"bytes"}]},
    {"session":"c20","name":"shopd","pid":815,"cgroup":null,"part":33554432,
    "asked":33554432,"caches":[{"id":1,"name":"pages","part":33554432,"asked":33554432}],
    "inputs":{"1":{"bytes":1073741824,"reclaimable":33554432,"floor":0,"cap":33554432,
    "weight":1000000}},"steps":[]}]}
    """

  static let round = """
    {"round":413,"time_us":1795532272000000,"scope":{"kind":"manual"},"level":"medium",
    "state":"closed","reason":"manual","dry_run":false,"target":268435456,
    "capacity":562036736,"part":268435456,"asked":272629760,"claimed":262144000,
    "measured":251658240,"unmet":16777216,"took_ms":412,"clients":[
    {"session":"c17","name":"imgd","pid":4711,"part":234881024,"asked":239075328,
    "claimed":228589568,"measured":222298112,"took_ms":38,"outcome":"done","caches":[
    {"id":3,"name":"thumbs","part":234881024,"asked":239075328,"claimed":228589568}]},
    {"session":"c20","name":"shopd","pid":815,"part":33554432,"asked":33554432,
    "claimed":33554432,"measured":29360128,"took_ms":412,"outcome":"late","caches":[
    {"id":1,"name":"pages","part":33554432,"asked":33554432,"claimed":33554432}]}]}
    """

  static let dryRun = """
    {"round":414,"time_us":1795532272000000,"scope":{"kind":"cgroup","path":"/app.slice"},
    "level":"critical","state":"closed","reason":"manual","dry_run":true,
    "target":1048576,"capacity":0,"part":0,"asked":0,"claimed":0,"measured":0,
    "unmet":1048576,"took_ms":0,"clients":[]}
    """

  static let rounds = """
    {"rounds":[
    {"round":413,"time_us":1795532272000000,"scope":{"kind":"manual"},"level":"medium",
    "state":"open","reason":"manual","dry_run":true,"target":268435456,
    "capacity":562036736,"part":268435456,"asked":272629760,"claimed":0,"measured":0,
    "unmet":268435456,"took_ms":0},
    {"round":412,"time_us":1795528672000000,
    "scope":{"kind":"cgroup","path":"/system.slice/shop.slice"},"level":"critical",
    "state":"closed","reason":"watermark","dry_run":false,"target":268435456,
    "capacity":562036736,"part":268435456,"asked":272629760,"claimed":268435456,
    "measured":268435456,"unmet":0,"took_ms":1870}]}
    """

  static let explained = """
    {"round":412,"time_us":1795528672000000,"scope":{"kind":"host"},"level":"low",
    "state":"closed","reason":"trigger","dry_run":false,"target":268435456,
    "capacity":562036736,"part":268435456,"asked":272629760,"claimed":262144000,
    "measured":251658240,"unmet":16777216,"took_ms":412,"clients":[
    {"session":"c17","name":"imgd","pid":4711,"part":234881024,"asked":239075328,
    "claimed":228589568,"measured":222298112,"took_ms":38,"outcome":"done","caches":[
    {"id":3,"name":"thumbs","part":234881024,"asked":239075328,"claimed":228589568}],
    "inputs":{"caches":[{"id":3,"name":"thumbs","bytes":536870912,"reclaimable":528482304,
    "measured":541065216,"share":50,"cost_us_per_mib":2000,"trust":9800,"ledger":0,
    "floor":8388608,"cap":528482304,"weight":250000,"release":"sync"}]},
    "steps":[{"text":"keep per unit of weight","value":1342177},
    {"text":"part of thumbs","value":234881024,"unit":"bytes"},
    {"text":"why not more","value":"the floor holds"}]},
    {"session":"c20","name":"shopd","pid":815,"part":33554432,"asked":33554432,
    "claimed":33554432,"measured":29360128,"took_ms":412,"outcome":"late","caches":[
    {"id":1,"name":"pages","part":33554432,"asked":33554432,"claimed":33554432}],
    "inputs":{},"steps":[]}]}
    """

  /// The first page of a round with two attempts; the second attempt goes on in `attemptsRest`.
  static let attempts = """
    {"round":7,"time_us":1795528672000000,"scope":{"kind":"host"},"level":"low",
    "state":"closed","reason":"watermark","dry_run":false,"target":268435456,
    "capacity":562036736,"part":268435456,"asked":272629760,"claimed":262144000,
    "measured":251658240,"unmet":16777216,"took_ms":412,"clients":[
    {"session":"c17","name":"imgd","pid":4711,"part":268435456,"asked":268435456,
    "claimed":228589568,"measured":222298112,"took_ms":38,"outcome":"done","caches":[]}],
    "attempts":[{"attempt":1,"level":"low","rule":"level-down","bounded":true,"settled":true,
    "page_size":4096,"median_cost_us_per_mib":2000,"target":268435456,"capacity":562036736,
    "part":268435456,"nodes":[
    {"node":0,"parent":0,"cgroup":"/","size":536870912,"cold":0,"children_cap":528482304,
    "room":null,"cap":528482304,"weight":500000,"cost":10000,"part":268435456,"level":null},
    {"node":1,"parent":0,"cgroup":"/app.slice","size":536870912,"cold":0,
    "children_cap":528482304,"room":268435456,"cap":268435456,"weight":500000,"cost":10000,
    "part":268435456,"level":{"numerator":1,"denominator":2}}],
    "clients":[{"session":"c17","name":"imgd","node":1,"trust":9800,"ledger":-4096,
    "probe":null,"size":536875008,"cap":528482304,"weight":500000,"cold":0,"cost":10000,
    "fair":268435456,"left_out":false,"part":268435456,"level":null,"caches":[
    {"id":3,"bytes":536870912,"reclaimable":528482304,"cold_reported":0,"in_flight":0,
    "floor":8388608,"askable":528482304,"cap":517912657,"cold":0,"share":50,
    "cost_us_per_mib":2000,"vouched":false,"cost_band":10000,"weight":500000,
    "part":268435456,"ask":273913731,"asked":273915904}]},
    {"session":"c20","name":"shopd","node":0,"trust":10000,"ledger":0,"probe":null,
    "size":4096,"cap":4096,"weight":500000,"cold":0,"cost":10000,"fair":4096,
    "left_out":true,"part":0,"level":null,"caches":[]}],
    "excluded":[{"session":"c5","name":"old","pid":7,"reason":"breaker"}]},
    {"attempt":2,"level":"low","rule":"level-down","bounded":true,"settled":true,"page_size":4096,
    "median_cost_us_per_mib":2000,"target":16777216,"capacity":0,"part":0,
    "nodes":[],"clients":[],"excluded":[]}],"next":"2.0"}
    """

  static let attemptsRest = """
    {"round":7,"clients":[],"attempts":[{"attempt":2,"level":"low","rule":"level-down",
    "bounded":true,"settled":true,"page_size":4096,"median_cost_us_per_mib":2000,"target":16777216,
    "capacity":0,"part":0,"nodes":[],"clients":[],"excluded":[
    {"session":"c17","name":"imgd","pid":4711,"reason":"out"},
    {"session":"c20","name":"shopd","pid":815,"reason":"exhausted"}]}]}
    """

  /// `text` on one line: what it is on the wire.
  static func compact(_ text: String) -> String { text.split(separator: "\n").joined() }
}
