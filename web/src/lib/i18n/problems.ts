/** What a problem code means to the person: what happened, and what to do now. */
export interface ProblemText {
  title: string;
  body: string;
}

export const problemsKo = {
  'identity.certificate-expired': { title: '인증서 유효 기간이 지났습니다', body: '부처의 인증서 담당자에게 갱신을 신청한 뒤 새 인증서로 로그온해 주세요.' },
  'identity.certificate-not-yet-valid': { title: '아직 유효하지 않은 인증서입니다', body: '유효 기간이 시작된 뒤에 로그온해 주세요.' },
  'identity.certificate-revoked': { title: '폐지된 인증서입니다', body: '이 인증서는 더 쓸 수 없습니다. 재발급을 신청해 주세요. 본인이 폐지하지 않았다면 도움말 데스크에 알려 주세요.' },
  'identity.certificate-wrong-usage': { title: '서명용 인증서가 아닙니다', body: '이름이 _sig로 끝나는 서명용 인증서를 골라 주세요.' },
  'identity.certificate-wrong-policy': { title: '이 용도로 쓸 수 없는 인증서입니다', body: '공무원 개인용 인증서로 로그온해 주세요. 기관용·컴퓨터용 인증서는 쓸 수 없습니다.' },
  'identity.certificate-unknown-root': { title: '신뢰하지 않는 발급 기관입니다', body: '행정전자서명(GPKI) 인증서인지 확인해 주세요.' },
  'identity.certificate-forged-issuer': { title: '발급 기관의 서명이 맞지 않습니다', body: '인증서가 바뀌었거나 손상되었습니다. 원본을 다시 복사하거나 재발급을 신청해 주세요.' },
  'identity.certificate-weak-key': { title: '키가 너무 짧은 인증서입니다', body: 'RSA 2048비트 이상의 인증서로 재발급받아 주세요.' },
  'identity.certificate-weak-signature': { title: '오래된 서명 방식의 인증서입니다', body: '새 인증서로 재발급받아 주세요.' },
  'identity.certificate-missing': { title: '인증서를 받지 못했습니다', body: '인증서를 골라 다시 로그온해 주세요. 기기의 인증서를 쓸 때는 브라우저가 물을 때 인증서를 고르세요.' },
  'identity.certificate-malformed': { title: '인증서를 읽을 수 없습니다', body: '원본을 다시 복사하거나 재발급을 신청해 주세요.' },
  'identity.issuer-expired': { title: '발급 기관 인증서의 기간이 지났습니다', body: '도움말 데스크에 알려 주세요.' },
  'identity.issuer-revoked': { title: '발급 기관 인증서가 폐지되었습니다', body: '도움말 데스크에 알려 주세요.' },
  'identity.crl-stale': { title: '폐지 목록이 오래되어 확인할 수 없습니다', body: '안전을 위해 로그온을 멈췄습니다. 잠시 뒤 다시 시도해 주세요.' },
  'identity.revocation-unknown': { title: '폐지 여부를 확인할 수 없습니다', body: '안전을 위해 로그온을 멈췄습니다. 잠시 뒤 다시 시도해 주세요.' },
  'identity.challenge-expired': { title: '시간이 지났습니다', body: '로그온을 다시 눌러 주세요. 파일을 다시 고르지 않아도 됩니다.' },
  'identity.challenge-used': { title: '이미 쓴 확인 번호입니다', body: '로그온을 다시 눌러 주세요.' },
  'identity.challenge-foreign': { title: '이 포털이 낸 확인 번호가 아닙니다', body: '주소창의 주소를 확인하고 다시 로그온해 주세요.' },
  'identity.signature-wrong': { title: '서명이 맞지 않습니다', body: '인증서와 개인키가 한 쌍인지 확인해 주세요.' },
  'identity.person-unknown': { title: '등록되지 않은 사람입니다', body: '인증서는 올바르지만 이 플랫폼에 등록되어 있지 않습니다. 부처 관리자에게 등록을 요청해 주세요.' },
  'identity.person-locked': { title: '계정이 잠겨 있습니다', body: '다섯 번 실패하여 잠겼습니다. 부처 관리자에게 잠금 해제를 요청해 주세요.' },
  'identity.person-revoked': { title: '접근이 폐지된 계정입니다', body: '부처 관리자에게 문의해 주세요.' },
  'identity.code-wrong': { title: '번호가 맞지 않습니다', body: '번호를 확인하고 다시 입력해 주세요. 다섯 번 실패하면 계정이 잠깁니다.' },
  'identity.activation-code-wrong': { title: '활성화 코드가 맞지 않습니다', body: '받은 코드를 다시 확인해 주세요. 다섯 번 실패하면 계정이 잠깁니다.' },
  'identity.activation-code-expired': { title: '활성화 코드의 기간이 지났습니다', body: '부처 관리자에게 새 코드를 요청해 주세요.' },
  'identity.totp-wrong': { title: '번호가 맞지 않습니다', body: '인증 앱의 새 번호를 입력해 주세요. 휴대전화의 시각도 확인해 주세요. 다섯 번 실패하면 계정이 잠깁니다.' },
  'identity.passkey-refused': { title: '패스키가 확인되지 않았습니다', body: '다시 시도하거나 다른 방법을 골라 주세요.' },
  'identity.handover-refused': { title: '이어받기 시간이 지났습니다', body: '기기 인증서로 다시 로그온해 주세요.' },
  'identity.session-ended': { title: '로그온이 끝났습니다', body: '다시 로그온해 주세요.' },
  'identity.last-factor': { title: '마지막 추가 인증은 삭제할 수 없습니다', body: '먼저 다른 추가 인증을 등록해 주세요.' },
  'identity.subject-taken': { title: '이미 등록된 인증서 이름입니다', body: '같은 인증서 이름을 쓰는 사람이 있습니다. 목록에서 찾아보세요.' },
  'identity.subject-name-malformed': { title: '인증서 이름을 읽을 수 없습니다', body: 'cn=…,ou=…,c=KR 모양으로 적어 주세요.' },
  'desktops.host-full': { title: '지금은 자리가 없습니다', body: '잠시 뒤 다시 열어 주세요.' },
  'desktops.no-host': { title: '지금 쓸 수 있는 서버가 없습니다', body: '운영자가 알고 있습니다. 잠시 뒤 다시 열어 주세요.' },
  'desktops.ended': { title: '이미 끝난 데스크톱입니다', body: '홈에서 새로 열어 주세요.' },
  'runtime.not-signed-in': { title: '로그온이 필요합니다', body: '다시 로그온해 주세요.' },
  'runtime.role-needed': { title: '이 일을 할 역할이 없습니다', body: '필요하면 부처 관리자에게 역할을 요청해 주세요.' },
  'runtime.foreign-origin': { title: '다른 곳에서 온 요청입니다', body: '주소창의 주소를 확인하고 새로 고쳐 주세요.' },
  'runtime.body-too-large': { title: '보낸 내용이 너무 큽니다', body: '파일을 나누어 다시 시도해 주세요.' },
  'runtime.malformed-body': { title: '보낸 내용을 읽을 수 없습니다', body: '입력한 내용을 확인해 주세요.' },
  'runtime.no-such-thing': { title: '찾을 수 없습니다', body: '없거나 볼 수 없는 것입니다.' },
  'client.offline': { title: '포털에 닿지 못했습니다', body: '네트워크를 확인하고 다시 시도해 주세요. 입력한 내용은 그대로 있습니다.' },
  'status.401': { title: '로그온이 필요합니다', body: '다시 로그온해 주세요.' },
  'status.403': { title: '허용되지 않은 일입니다', body: '필요하면 부처 관리자에게 문의해 주세요.' },
  'status.404': { title: '찾을 수 없습니다', body: '없거나 볼 수 없는 것입니다.' },
  'status.409': { title: '그 사이에 바뀌었습니다', body: '화면을 새로 고치고 다시 시도해 주세요.' },
  'status.422': { title: '입력한 내용을 확인해 주세요', body: '받아들일 수 없는 값이 있습니다.' },
  'status.429': { title: '너무 자주 시도했습니다', body: '잠시 기다린 뒤 다시 시도해 주세요.' },
  'status.503': { title: '지금은 쓸 수 없습니다', body: '잠시 뒤 다시 시도해 주세요. 이미 열린 것은 그대로 있습니다.' },
  'status.other': { title: '처리하지 못했습니다', body: '다시 시도해 주세요. 되풀이되면 도움말 데스크에 문의 번호를 알려 주세요.' },
};

export type ProblemCode = keyof typeof problemsKo;

export const problemsEn: Record<ProblemCode, ProblemText> = {
  'identity.certificate-expired': { title: 'Your certificate has expired', body: 'Ask the certificate officer of your ministry to renew it, then log on with the new one.' },
  'identity.certificate-not-yet-valid': { title: 'Your certificate is not valid yet', body: 'Log on once its validity has begun.' },
  'identity.certificate-revoked': { title: 'Your certificate was revoked', body: 'It cannot be used any more. Ask for a new one. If you did not have it revoked, tell the help desk.' },
  'identity.certificate-wrong-usage': { title: 'This is not a signature certificate', body: 'Choose the signature certificate, ending in _sig.' },
  'identity.certificate-wrong-policy': { title: 'This certificate is not for logging on', body: 'Use the personal certificate of a civil servant, not one of an agency or a computer.' },
  'identity.certificate-unknown-root': { title: 'The issuer is not trusted here', body: 'Check that it is a GPKI certificate.' },
  'identity.certificate-forged-issuer': { title: 'The issuer’s signature does not fit', body: 'The certificate was altered or damaged. Copy the original again or ask for a new one.' },
  'identity.certificate-weak-key': { title: 'The key of this certificate is too short', body: 'Have it issued again with RSA 2048 bits or more.' },
  'identity.certificate-weak-signature': { title: 'The certificate is signed in an outdated way', body: 'Have it issued again.' },
  'identity.certificate-missing': { title: 'No certificate arrived', body: 'Choose your certificate and log on again. With a certificate in this device, choose it when the browser asks.' },
  'identity.certificate-malformed': { title: 'The certificate cannot be read', body: 'Copy the original again or ask for a new one.' },
  'identity.issuer-expired': { title: 'The issuer’s certificate has expired', body: 'Please tell the help desk.' },
  'identity.issuer-revoked': { title: 'The issuer’s certificate was revoked', body: 'Please tell the help desk.' },
  'identity.crl-stale': { title: 'The revocation list is too old to check', body: 'Log-ons are held back to be safe. Try again in a moment.' },
  'identity.revocation-unknown': { title: 'It cannot be checked whether it was revoked', body: 'Log-ons are held back to be safe. Try again in a moment.' },
  'identity.challenge-expired': { title: 'It took too long', body: 'Press Log on again. You need not choose the files again.' },
  'identity.challenge-used': { title: 'This check number was used already', body: 'Press Log on again.' },
  'identity.challenge-foreign': { title: 'This check number is not of this portal', body: 'Check the address in the address bar and log on again.' },
  'identity.signature-wrong': { title: 'The signature does not fit', body: 'Check that certificate and private key belong together.' },
  'identity.person-unknown': { title: 'You are not registered here', body: 'Your certificate is good, but it is not registered. Ask your ministry administrator.' },
  'identity.person-locked': { title: 'Your account is locked', body: 'It locks after five failures. Ask your ministry administrator to unlock it.' },
  'identity.person-revoked': { title: 'Your access was revoked', body: 'Please ask your ministry administrator.' },
  'identity.code-wrong': { title: 'The number is not right', body: 'Check it and try again. After five failures the account locks.' },
  'identity.activation-code-wrong': { title: 'The activation code is not right', body: 'Check the code you got. After five failures the account locks.' },
  'identity.activation-code-expired': { title: 'The activation code has expired', body: 'Ask your ministry administrator for a new one.' },
  'identity.totp-wrong': { title: 'The number is not right', body: 'Enter a new number of the app, and check your phone’s clock. After five failures the account locks.' },
  'identity.passkey-refused': { title: 'The passkey was not accepted', body: 'Try again or choose another way.' },
  'identity.handover-refused': { title: 'Taking over took too long', body: 'Log on with the device certificate again.' },
  'identity.session-ended': { title: 'Your log-on has ended', body: 'Please log on again.' },
  'identity.last-factor': { title: 'The last second factor stays', body: 'Add another one first.' },
  'identity.subject-taken': { title: 'This certificate name is registered already', body: 'Somebody has it. Look in the list.' },
  'identity.subject-name-malformed': { title: 'The certificate name cannot be read', body: 'Write it like cn=…,ou=…,c=KR.' },
  'desktops.host-full': { title: 'There is no room now', body: 'Please try again in a moment.' },
  'desktops.no-host': { title: 'No server is available now', body: 'The operators know. Try again in a moment.' },
  'desktops.ended': { title: 'This desktop has ended', body: 'Open a new one from home.' },
  'runtime.not-signed-in': { title: 'Please log on', body: 'You need to log on again.' },
  'runtime.role-needed': { title: 'Your roles do not allow this', body: 'Ask your ministry administrator if you need it.' },
  'runtime.foreign-origin': { title: 'The request came from elsewhere', body: 'Check the address bar and reload the page.' },
  'runtime.body-too-large': { title: 'What was sent is too large', body: 'Split the file and try again.' },
  'runtime.malformed-body': { title: 'What was sent cannot be read', body: 'Please check what you entered.' },
  'runtime.no-such-thing': { title: 'Not found', body: 'It does not exist or you may not see it.' },
  'client.offline': { title: 'The portal cannot be reached', body: 'Check the network and try again. What you entered is kept.' },
  'status.401': { title: 'Please log on', body: 'You need to log on again.' },
  'status.403': { title: 'This is not allowed', body: 'Ask your ministry administrator if you need it.' },
  'status.404': { title: 'Not found', body: 'It does not exist or you may not see it.' },
  'status.409': { title: 'It has changed meanwhile', body: 'Reload the page and try again.' },
  'status.422': { title: 'Please check what you entered', body: 'Some value cannot be accepted.' },
  'status.429': { title: 'Too many tries', body: 'Wait a moment and try again.' },
  'status.503': { title: 'Not available now', body: 'Try again in a moment. What is open stays open.' },
  'status.other': { title: 'That did not work', body: 'Try again. If it keeps happening, give the help desk the reference.' },
};

/** Codes that other parts name differently but mean the same for the person. */
const aliases: Record<string, ProblemCode> = {
  'identity.locked': 'identity.person-locked',
  'identity.revoked': 'identity.person-revoked',
  'identity.unknown-person': 'identity.person-unknown',
  'identity.session-revoked': 'identity.session-ended',
};

/** The text's key for a problem: its own, an alias', its status', or the last resort. */
export function problemKey(code: string, status: number): ProblemCode {
  if (Object.hasOwn(problemsKo, code)) return code as ProblemCode;
  const alias = Object.hasOwn(aliases, code) ? aliases[code] : undefined;
  if (alias) return alias;
  const byStatus = `status.${status === 400 ? 422 : status}`;
  return Object.hasOwn(problemsKo, byStatus) ? (byStatus as ProblemCode) : 'status.other';
}
