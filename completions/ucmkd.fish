# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
complete -c ucmkd -f
complete -c ucmkd -l config -r -F -d 'Settings instead of the usual ones'
complete -c ucmkd -l socket -r -F -d 'Socket instead of the usual one'
complete -c ucmkd -l proc -r -F -d 'Root instead of /proc'
complete -c ucmkd -l cgroup -r -F -d 'Root instead of the mounted v2 hierarchy'
complete -c ucmkd -l user -d 'Serve one user'
complete -c ucmkd -l record -r -F -d 'Write every event to a file'
complete -c ucmkd -l log-level -x -a 'error warning notice info debug' -d 'Leave out what matters less'
complete -c ucmkd -l check -d 'Tell what this host allows and what the settings say'
complete -c ucmkd -l replay -r -F -d 'Run a recording through the policy'
complete -c ucmkd -l version -d 'Print the release'
complete -c ucmkd -l help -d 'Print the options'
