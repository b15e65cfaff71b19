// Simplified Chinese: the pages' own texts, and the engine's words.
export const chinese = {
  "Doors": "门", "People": "人员", "Today": "今天", "Health": "运行状况", "Calls": "访客呼叫", "Areas": "区域", "Cameras": "摄像头",
  "The engine does not answer.": "引擎没有响应。", "No picture": "没有画面", "Open": "开门", "Keep unlocked": "保持开锁", "Lock": "上锁",
  "{0} was opened.": "{0}已打开。", "{0} is locked.": "{0}已上锁。", "{0} stays unlocked.": "{0}保持开锁。",
  "forced open": "被强行打开", "held open": "长时间未关", "unlocked until locked": "开锁，直到上锁",
  "Last picture at {0}": "{0}的最近画面", "Last picture {0}": "最近画面：{0}", "Body temperature {0} °C, {1}": "体温 {0} °C，{1}",
  "Somebody rings at {0}": "有人在{0}按铃", "Who rings": "按铃的人", "since {0}, until {1}": "{0} 起，到 {1} 为止",
  "Let in": "放行", "Turn away": "拒绝", "The visitor is let in.": "访客已放行。", "The visitor is turned away.": "访客已被拒绝。",
  "Cameras that show nothing": "没有画面的摄像头", "Records": "记录", "Key of the records": "记录密钥", "Models": "模型",
  "no door opens to a face": "人脸不能开任何门", "only what needs it denies": "仅需要它的检查会拒绝", "People who need new photos": "需要新照片的人员",
  "No camera is configured.": "未配置摄像头。", "Version {0}": "版本 {0}",
  "Why": "原因", "Denied: {0}": "拒绝：{0}", "somebody known": "已登记人员", "by {0}": "操作人：{0}", "Reading …": "正在读取……", "Read again": "重新读取",
  "The newest {0} of {1} are shown.": "显示最新的 {0} 条，共 {1} 条。", "Nothing has happened today.": "今天没有事件。",
  "Name": "姓名", "Kind": "类别", "Date of birth, for pupils and children": "出生日期（学生和儿童需填）", "Who signed": "签署人", "Guardian, for a child": "监护人（儿童需填）",
  "Version of the text": "同意书版本", "Purpose": "用途", "access": "门禁", "Language of the text": "同意书语言", "Consent, given in writing": "书面同意",
  "Photos": "照片", "1 to 10 photos, or a short clip, of one person (8 MB each at most)": "同一人的 1 至 10 张照片或一段短视频（每个最大 8 MB）",
  "Looks like somebody enrolled, and is somebody else": "与已登记人员相像，但不是同一人", "larger than 8 MB": "超过 8 MB", "Reading {0} of {1} …": "正在读取第 {0} 个，共 {1} 个……",
  "{0} has {1} photos now": "{0}现有 {1} 张照片", "{0} was not enrolled": "{0}未能登记", "These could not be used:": "以下无法使用：",
  "Kept, though better would be possible:": "已保存，但可以更好：", "Close": "关闭", "Cancel": "取消", "Choose at most {0} files.": "最多选择 {0} 个文件。",
  "Enroll a person": "登记人员", "Enroll": "登记", "Photos of {0}": "{0}的照片", "Add": "添加", "Add photos": "添加照片", "Erase": "删除", "Erase {0}?": "删除{0}？", "Erase for good": "永久删除",
  "Name, photos, consent, PINs and cards are removed for good, also from later restored backups. Doors no longer open to this person.": "姓名、照片、同意书、密码和卡将被永久删除，以后恢复备份时也不会恢复。此人不能再开门。",
  "{0} was erased.": "{0}已删除。", "needs new photos": "需要新照片", "{0} photos": "{0} 张照片", "consent of {0}": "{0} 同意", "no consent": "没有同意书", "last seen {0}": "最近出现 {0}",
  "may use {0}": "可用：{0}", "may use no door": "不可用任何门", "Search by name or unit": "按姓名或单元搜索", "{0} of {1} people": "{0} 人，共 {1} 人",
};

export const spoken = {
  // roles and kinds
  viewer: "查看者", operator: "操作员", manager: "管理员", resident: "住户", staff: "职员", pupil: "学生", contractor: "承包商", visitor: "访客",
  // states
  locked: "已上锁", unlocking: "正在开锁", unlocked: "已开锁", relocking: "正在上锁", jammed: "卡住", unavailable: "不可用", normal: "正常", free: "自由通行", lockdown: "封锁", emergency: "紧急",
  connecting: "正在连接", streaming: "有画面", backing_off: "中断，正在重试", refused: "被拒绝", ok: "正常", failing: "故障", missing: "缺失", altered: "被改动", unusable: "无法使用",
  thermometer: "体温计", contact: "门磁", exit_button: "出门按钮", doorbell: "门铃", reader: "读卡器", detector: "人脸检测", embedder: "人脸识别",
  entry: "进入", exit: "离开", face: "人脸", pin: "密码", card: "卡",
  // events
  access: "通行", opening: "开门", call: "访客呼叫", lock: "上锁", passage: "已通过", alarm: "警报", mode: "模式", people: "人员", consent: "同意书", erasure: "删除", retention: "保存期限", clock: "时钟", area: "区域", import: "导入", audit: "审计",
  let_in: "放行", turned_away: "已拒绝", expired: "已过期", opened: "已打开", relocked: "已重新上锁", superseded: "已被取代", confirmed: "已确认", completed: "已完成", interrupted: "中断", failed: "失败", given: "已给予", withdrawn: "已撤回", added: "已添加", changed: "已更改", enrolled: "已登记", erased: "已删除",
  door_forced: "门被强行打开", door_held: "门长时间未关", door_unlocked: "继电器被他人接通", duress: "胁迫", passback: "反传", attempts: "尝试次数", fever: "发烧", approval_expiring: "批准即将到期", clock_jump: "时钟跳变", actuator: "执行器", mqtt: "MQTT", sensor: "传感器",
  // receipts
  identity: "身份", credential: "凭证", liveness: "活体", permit: "许可", contract: "合同", temperature: "体温", mask: "口罩", document: "证件", second_credential: "第二凭证", two_persons: "两人同行", capacity: "人数", freshness: "时效", approval: "批准",
  pass: "通过", fail: "未通过", granted: "允许", not_recognized: "未识别", ambiguous: "无法区分", too_few_probes: "画面太少", not_enrolled: "未登记", credential_unknown: "凭证未知", credential_wrong: "凭证错误", credential_retired: "凭证已停用",
  pass_forged: "通行证是伪造的", pass_replayed: "通行证被重复使用", pass_revoked: "通行证已撤销", pass_not_yet_valid: "通行证尚未生效", pass_expired: "通行证已过期", pass_used_up: "通行证已用完", pass_not_here: "通行证不适用于此门",
  too_many_attempts: "尝试次数过多", no_permit: "没有许可", permit_not_yet_valid: "许可尚未生效", permit_expired: "许可已过期", outside_schedule: "不在允许的时间", not_approved: "未批准", approval_expired: "批准已过期", approval_suspended: "批准已暂停", approval_revoked: "批准已撤销",
  model_fault: "模型故障", flat_motion: "像平面图片一样移动", too_little_motion: "移动太少", looks_like_a_picture: "像是照片", too_few_views: "视角太少", no_liveness_model: "没有活体模型", turn_your_head: "请转头", no_source: "没有来源", no_reading: "没有读数", too_hot: "体温过高", stale_reading: "读数过旧",
  mask_missing: "未戴口罩", mask_worn: "戴着口罩", no_document: "没有证件", document_mismatch: "证件不符", second_credential_missing: "缺少第二凭证", second_person_missing: "缺少第二人", stale_frame: "画面过旧", door_free: "门可自由通行", already_inside: "已在里面", area_full: "区域已满",
  // photos
  sharpness: "人脸模糊：请拿稳相机、对准人脸、擦净镜头", under_exposure_prevention: "人脸太暗：请面向窗户或灯", over_exposure_prevention: "人脸过曝：避开直射阳光和闪光灯", dynamic_range: "人脸几乎没有对比度：避免雾气、逆光和滤镜", illumination_uniformity: "一侧太暗：让光从正面来",
  head_size: "人脸太小：请靠近或使用更大的照片", pose_yaw: "脸转向一侧：请看镜头", pose_pitch: "抬头或低头：相机请与眼睛同高", pose_roll: "头歪了：请扶正头或相机", mouth_occlusion_prevention: "口鼻被遮住：请摘下口罩或围巾", crop_of_face_image: "脸的一部分在画面外：四周留些空间",
  // refusals
  forbidden: "没有权限", unauthorized: "未授权", invalid: "输入有误", conflict: "当前状态不允许", not_found: "不存在", call_closed: "呼叫已结束", too_large: "文件太大", unsupported_media: "无法读取此文件", too_many: "太多", no_face: "没有找到人脸", several_faces: "画面中有多张人脸", face_too_small: "人脸太小",
  outlier_photo: "照片与此人其他照片不符", duplicate_subject: "此人已登记", actuator_unavailable: "门的硬件不可用", broker_unavailable: "MQTT 服务器不可用", not_confirmed: "门未确认", records_unavailable: "记录不可用", model_unavailable: "模型不可用", vault_unavailable: "密钥不可用", consent_required: "需要先有同意书", internal: "内部错误",
};
