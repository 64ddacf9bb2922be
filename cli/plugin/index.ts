export { lockOf, lockText } from "./lock.ts";
export { type InspectedPlugin, type PluginFacts, pluginInspect, pluginPack, pluginPin, pluginSign, pluginVerify } from "./plugin.ts";
