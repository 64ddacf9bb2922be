import type { Words } from "./words.ts";

const role = (name: string, who: string): Words["fields"] => ({
  [`trust.roles.${name}`]: who,
  [`trust.roles.${name}.by`]:
    name === "root" || name === "access" ? "People alone." : "Who signs: people, a workflow (`ci`) or the hub itself.",
  [`trust.roles.${name}.principals`]: "Who may sign; each has a key in allowed_signers.",
  [`trust.roles.${name}.threshold`]: "How many of them must.",
  [`trust.roles.${name}.touch`]: "`required`: only hardware keys (`sk-…`), touched for each signature.",
});

const identity = (name: string): Words["fields"] => ({
  [`trust.roles.${name}.identity`]: [
    "The workflow of a role that is `by: ci`; all of its members.",
    "workflows of other forges than GitHub",
  ],
  [`trust.roles.${name}.identity.issuer`]: "Who vouches for the workflow, `https://token.actions.githubusercontent.com`.",
  [`trust.roles.${name}.identity.repository`]: "Written like acme/fleet.",
  [`trust.roles.${name}.identity.repositoryId`]: "Its number: a repository that was renamed, moved or taken over no longer signs.",
  [`trust.roles.${name}.identity.ownerId`]: "The number of its owner.",
  [`trust.roles.${name}.identity.workflow`]: "The file of the workflow, like `.github/workflows/release.yml`.",
  [`trust.roles.${name}.identity.ref`]: "The one branch or tag it runs on, like `refs/heads/main`.",
});

export const FLEET: Words = {
  summary: "Who must sign what, and how the hub behaves.",
  fields: {
    requires: "Oldest mooring that may run this repo; an older one stops with `FLEET_TOO_NEW`.",
    interval: "Full check of every machine. Drift itself is pushed; this is the safety net.",
    trust: "Whom to believe.",
    "trust.roles": "Who must sign which class of a release.",
    ...role("root", "May change roles and trust."),
    ...role("release", "Machines, baselines, plugins; signs every release."),
    ...identity("release"),
    ...role("access", "Who may use which secret, and who may log in."),
    ...role("secrets", "Versions of secrets that people add; the vault signs those it rotates."),
    ...identity("secrets"),
    "trust.actions": "Who may sign statements that weaken or revoke.",
    "trust.actions.actions": "What they may do.",
    "trust.actions.principals": "Who; each has a key in allowed_signers.",
    "trust.actions.maxDuration": "For how long at most; none = without an end.",
    "trust.commits": "Authorship, on top of releases.",
    "trust.commits.allowedSigners":
      "OpenSSH's allowed_signers. A line's comment may hold `mooring:from=N`, `mooring:until=N`, `mooring:touch=…`; the principal `vault` with `namespaces=\"mooring-secrets\"` is the vault.",
    "trust.commits.openpgpKeys": "Armored OpenPGP keys of people who sign commits with gpg; the file may be missing.",
    "trust.commits.require": "Which commits on main must be signed.",
    "trust.bundles": "How plugin bundles are verified.",
    "trust.bundles.trustedRoot": "Sigstore's trusted root for keyless bundles; the file may be missing.",
    "trust.lease": "A machine that can't renew opens no secret after this.",
    "trust.expires": "Nothing new is applied from a release older than this.",
    allowSoftwareKeys: "Accept machines whose device keys are only files; else `SOFTWARE_KEYS_REFUSED`.",
    prune: "What happens when much would be deleted.",
    "prune.mode": ["`confirm`: wait for `mooring prune confirm`; `auto`: go on; `report`: only say so.", "`report`"],
    "prune.maxDeletePercent": "More than this share of the objects of a kind asks; counted from 5 objects up.",
    freeze: ["Times when nothing is rolled out.", "every entry"],
    "freeze.name": "What people call it.",
    "freeze.schedule": "When it begins.",
    "freeze.duration": "How long it lasts.",
    "freeze.timezone": "Zone of the schedule.",
    "freeze.machines": "Which machines.",
    "freeze.allow": "What goes on all the same.",
    retention: ["How long the hub keeps things.", "other than the defaults"],
    "retention.events": "Events.",
    "retention.pluginLogs": "Logs of plugins: an age, and perhaps a size.",
    "retention.audit": "Audit entries.",
    notifications: ["Whom to tell what.", "every entry"],
    "notifications.name": "What people call it.",
    "notifications.kind": "How it is sent.",
    "notifications.to": "Where to.",
    "notifications.on": "What about.",
  },
};
